"""Are virtual validations as good as in-person ones?"""

from analysis.questions.comparison import compare
from pages._ui import choices, figure, page
from pages._ui.cache import ask

view = page.begin("Virtual vs in person")
# The answer stands above the choice of metric that it depends on.
top = page.space()
metric = choices.metric(view.dataset)
with top:
    answer = ask(compare, view.dataset, metric, view.selection)
    page.answer(answer.sentence)
    figure.show("virtual_vs_in_person.verdict", view, metric=metric)
    page.remarks(answer)
figure.show("virtual_vs_in_person.metrics", view)
figure.show("virtual_vs_in_person.ways", view, metric=metric)
figure.show("virtual_vs_in_person.balance", view)
by = choices.group_column(view.dataset)
figure.show("virtual_vs_in_person.groups", view, metric=metric, by=by)
figure.show("virtual_vs_in_person.categories", view)
