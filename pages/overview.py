"""Where do we stand?"""

from analysis.questions.overview import overview
from pages._ui import figure, page

view = page.begin("Overview")
page.answer(page.asked(view, overview, view.dataset, view.selection).sentence)
figure.show("overview.statistics", view)
if view.dataset.part:
    figure.show("overview.program", view)
figure.show("overview.months", view)
figure.show("virtual_vs_in_person.backlog", view)
figure.show("overview.published", view)
