"""Are virtual validations as good as in-person ones?"""

from analysis.questions.afterwards import afterwards
from analysis.questions.backlog import backlog
from analysis.questions.comparison import compare
from analysis.questions.differences_records import CHANGED
from analysis.questions.effort import effort
from analysis.questions.robustness import stands
from analysis.questions.robustness_bounds import READ_FIRST, bounds
from analysis.questions.robustness_margin import margins
from pages._ui import choices, figure, margin, page

view = page.begin("Virtual vs in person")

# The answer stands above the choice of metric that it depends on.
top = page.space()
metric = choices.metric(view.dataset)
moved = margin.moved(view.dataset, metric)
with top:
    answer = page.asked(view, compare, view.dataset, metric, view.selection, margin=moved)
    bounds_first = bool(set(READ_FIRST) & set(answer.reasons))
    sentence = answer.sentence
    if bounds_first:
        # An estimate that rests on what was seen is read after all that it could be.
        if (bounded := page.asked(view, bounds, view.dataset, metric, view.selection).sentence) != sentence:
            page.answer(bounded)
        figure.show("virtual_vs_in_person.unseen", view, metric=metric, margin=moved)
    page.answer(sentence)
    if moved is not None:
        page.note(page.asked(view, margins, view.dataset, metric, view.selection, margin=moved).sentence)
    figure.show("virtual_vs_in_person.verdict", view, metric=metric, margin=moved)
    page.remarks(answer)
figure.show("virtual_vs_in_person.metrics", view)
figure.show("virtual_vs_in_person.tracking", view, metric=metric)
figure.show("virtual_vs_in_person.ways", view, metric=metric, margin=moved)
if set(CHANGED) & set(answer.reasons):
    figure.show("virtual_vs_in_person.mix", view, metric=metric)
figure.show("virtual_vs_in_person.balance", view)
page.heading("Where it differs")
by = choices.group_column(view.dataset)
figure.show("virtual_vs_in_person.groups", view, metric=metric, by=by)
figure.show("virtual_vs_in_person.categories", view)
figure.show("virtual_vs_in_person.seen_by", view)
figure.show("virtual_vs_in_person.criteria", view)
page.heading("How robust?")
margin.slider(view.dataset, metric, answer)
figure.show("virtual_vs_in_person.margin", view, metric=metric, margin=moved)
# Without an estimate there is nothing to shake; the figure above says why.
if stands(answer):
    if not bounds_first:
        figure.show("virtual_vs_in_person.unseen", view, metric=metric, margin=moved)
    figure.show("virtual_vs_in_person.specifications", view, metric=metric, margin=moved)
    leave = choices.left_out_column(view.dataset)
    figure.show("virtual_vs_in_person.leave_out", view, metric=metric, leave=leave, margin=moved)
    figure.show("virtual_vs_in_person.unmeasured", view, metric=metric, margin=moved)
    figure.show("virtual_vs_in_person.power", view, metric=metric, margin=moved)
page.heading("Time, effort and burden")
page.note(page.asked(view, effort, view.dataset, view.selection).sentence)
figure.show("virtual_vs_in_person.effort", view)
left, right = page.columns()
with left:
    figure.show("virtual_vs_in_person.hours", view)
    figure.show("virtual_vs_in_person.sites", view)
    figure.show("virtual_vs_in_person.minutes_lost", view)
with right:
    figure.show("virtual_vs_in_person.days_to_report", view)
    figure.show("virtual_vs_in_person.days_to_close", view)
figure.show("virtual_vs_in_person.evidence", view)
page.note(page.asked(view, backlog, view.dataset, view.selection).sentence)
figure.show("virtual_vs_in_person.backlog", view)
page.heading("Afterwards")
page.note(page.asked(view, afterwards, view.dataset, view.selection).sentence)
figure.show("virtual_vs_in_person.afterwards", view)
