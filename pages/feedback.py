"""What do specialists and members say of virtual and in-person validations?"""

from analysis.questions.feedback import headline
from pages._ui import choices, figure, page

view = page.begin("Feedback")
answer = page.asked(view, headline, view.dataset, view.selection)
page.answer(answer.sentence)
page.keep_in_mind(answer.caveats)
respondent = choices.respondent(view.dataset)
figure.show("feedback.scores", view, respondent=respondent)
left, right = page.columns()
with left:
    figure.show("feedback.response", view)
with right:
    figure.show("feedback.again", view)
figure.show("feedback.agreement", view)
figure.show("feedback.themes", view)
