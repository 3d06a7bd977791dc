"""What happened at sea?"""

from analysis.questions.maritime import headline
from pages._ui import figure, page

view = page.begin("Maritime")
answer = page.asked(view, headline, view.dataset, view.selection)
page.answer(answer.sentence)
page.note(page.LAST_VALIDATION)
page.keep_in_mind(answer.caveats)
left, right = page.columns()
with left:
    figure.show("maritime.routes", view)
    figure.show("maritime.seals", view)
with right:
    figure.show("maritime.conspiracy", view)
    figure.show("maritime.terminals", view)
figure.show("maritime.analyses", view)
left, right = page.columns()
with left:
    figure.show("maritime.entity_types", view)
with right:
    figure.show("maritime.deficiencies", view)
