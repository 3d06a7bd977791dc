"""Where do we stand?"""

from analysis.questions.overview import overview
from pages._ui import figure, page
from pages._ui.cache import ask

view = page.begin("Overview")
page.answer(ask(overview, view.dataset, view.selection).sentence)
figure.show("overview.statistics", view)
figure.show("overview.months", view)
figure.show("virtual_vs_in_person.backlog", view)
figure.show("overview.published", view)
