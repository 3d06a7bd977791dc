"""What is unusual beyond chance, and deserves a second look?"""

from analysis.questions.anomalies import anomalies
from pages._ui import choices, figure, notes, page

view = page.begin("Anomalies")
page.require(view, "validations")
# The answer stands above the choice of metric that it depends on.
top = page.space()
metric = choices.anomaly_metric(view.dataset)
with top:
    answer = page.asked(view, anomalies, view.dataset, view.selection, metric=metric)
    page.answer(answer.sentence)
    if answer.n:
        page.keep_in_mind(answer.caveats)
figure.show("anomalies.offices", view, metric=metric)
figure.show("anomalies.specialists", view, metric=metric)
figure.show("anomalies.variation", view)
figure.show("anomalies.months", view, metric=metric)
figure.show("anomalies.days", view)
figure.show("anomalies.validations", view)
if not view.suppress:
    notes.draw(view, [row.validation_id for row in answer.validations.rows])
figure.show("anomalies.seals", view)
by = choices.technology_column(view.dataset)
left, right = page.columns()
with left:
    figure.show("anomalies.minutes_lost", view, by=by)
with right:
    figure.show("anomalies.not_verified", view, by=by)
