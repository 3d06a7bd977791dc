"""What happened, how, and to whom?"""

from analysis.questions.incidents import headline
from pages._ui import choices, figure, page

view = page.begin("Incidents")
answer = page.asked(view, headline, view.dataset, view.selection)
page.answer(answer.sentence)
page.note(page.LAST_VALIDATION)
page.keep_in_mind(answer.caveats)
basis = choices.incident_basis()
figure.show("incidents.over_time", view, basis=basis)
figure.show("incidents.limits", view)
left, right = page.columns()
with left:
    figure.show("incidents.concealment", view)
with right:
    figure.show("incidents.causes", view)
left, right = page.columns()
with left:
    figure.show("incidents.seals", view)
with right:
    figure.show("incidents.contraband", view)
figure.show("incidents.rates", view)
figure.show("incidents.concentration", view)
cause = choices.cause(view.dataset)
figure.show("incidents.earlier_deficiencies", view, cause=cause)
page.link("virtual_vs_in_person.py", "Afterwards: time to an incident by validation mode")
