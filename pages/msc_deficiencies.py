"""What do members keep getting wrong, and why?"""

from analysis.questions.deficiencies import headline
from pages._ui import choices, figure, page

view = page.begin("MSC deficiencies")
answer = page.asked(view, headline, view.dataset, view.selection)
page.answer(answer.sentence)
page.keep_in_mind(answer.caveats)
order = choices.criteria_order(view.dataset)
left, right = page.columns()
with left:
    figure.show("msc_deficiencies.criteria", view, order=order)
with right:
    figure.show("msc_deficiencies.reasons", view)
figure.show("msc_deficiencies.categories", view)
left, right = page.columns()
with left:
    figure.show("msc_deficiencies.rates", view)
with right:
    figure.show("msc_deficiencies.reason_categories", view)
figure.show("msc_deficiencies.trends", view)
left, right = page.columns()
with left:
    figure.show("msc_deficiencies.seen_by", view)
    figure.show("msc_deficiencies.repeats", view)
with right:
    figure.show("msc_deficiencies.criteria_modes", view)
figure.show("msc_deficiencies.candidates", view)
