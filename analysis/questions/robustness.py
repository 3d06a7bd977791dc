"""How robust is an answer? What every way of shaking it shares: rows counted once, and the words of a verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import wording
from analysis.metrics import Metric, Tally, metric, missing_reason
from analysis.questions.answering import answer_of, refused
from analysis.questions.arms import tally_rows
from analysis.questions.balance import unbalanced
from analysis.questions.counted_windows import window_of
from analysis.questions.models import standardised
from analysis.questions.sentences import arm_names, scale_of
from analysis.questions.tallies import arm_of
from analysis.questions.terms import PRIMARY, checked_margin, counted_selection
from analysis.questions.times import stratified_time, time_arm
from analysis.questions.verdicts import verdict_of
from analysis.questions.window import MODES, Window, comparison_window, positivity
from analysis.results import Arm, Comparison, Estimate, Interval, Verdict
from analysis.selection import Selection
from analysis.stats.equivalence import judge

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_VERDICTS: dict[Verdict, str] = {
    "as_good": "as good as in person",
    "finds_more": "finds more",
    "better": "better",
    "not_as_good": "not as good",
    "cannot_tell": "can’t tell yet",
    "too_few": "too few to compare",
    "not_comparable": "not comparable",
    "described": "described, not judged",
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """One comparison with the counted rows it rests on, so that variations need not count again.

    `whole` is the answer itself; `window` holds its rows by arm, quarter, what models adjust for and specialist, None
    where the metric cannot be asked here (the reason is in `whole`).
    """

    dataset: Dataset
    definition: Metric
    selection: Selection
    margin: float | None
    whole: Comparison
    window: Window | None

    @property
    def counted(self) -> pd.DataFrame:
        """All rows of the selection."""
        assert self.window is not None
        return self.window.counted

    @property
    def inside(self) -> pd.DataFrame:
        """The rows of the comparison window."""
        assert self.window is not None
        return self.window.rows

    @property
    def stands(self) -> bool:
        """Whether there is an estimate with an interval, of enough validations, to vary."""
        return stands(self.whole)

    def part(self, counted: pd.DataFrame) -> Window:
        """The comparison window of some of the rows by themselves."""
        return comparison_window(counted, arm_column=self.definition.arm_column)

    def behind(self) -> tuple[int, ...]:
        """What the comparison window tells of each arm: how many, how many with the event, how many without."""
        if self.window is None:
            return ()
        rows = self.window.rows
        if not isinstance(self.definition.counted_by, Tally):
            return tuple(int(rows.loc[rows["arm"] == arm, "n"].sum()) for arm in (1, 0))
        arms = tally_rows(self.definition, rows)
        totals = [arms.total(arm) for arm in (1, 0)]
        return tuple(n for y, d in totals for n in (d, y, d - y))

    def answer(self, counted: pd.DataFrame) -> Comparison:
        """Arms, primary estimate and verdict of some of the rows: the same as of a selection that keeps only them."""
        window = self.part(counted)
        arms, adjusted, found = self._estimated(window)
        answer = dataclasses.replace(
            self.whole, arms=arms, adjusted_arms=adjusted, estimates=tuple(found), sentence=""
        )
        adjustable, matching = bool(window.strata), bool(window.selection["n"].sum())
        apart = adjustable and answer.primary == PRIMARY and unbalanced(window.rows)
        verdict, reasons = verdict_of(
            self.definition, answer, positivity(window.rows), adjustable, apart, None, matching
        )
        return dataclasses.replace(answer, verdict=verdict, reasons=reasons)

    def _estimated(self, window: Window) -> tuple[dict[str, Arm], dict[str, Arm], list[Estimate]]:
        """Arms as recorded and on the common mix, and the primary estimate of a window."""
        names = self.dataset.modes
        if isinstance(self.definition.counted_by, Tally):
            everybody = tally_rows(self.definition, window.selection)
            arms = {mode: arm_of(self.definition, everybody, mode, names[mode]) for mode in MODES}
            inside = tally_rows(self.definition, window.rows)
            found, adjusted = standardised(self.definition, inside, names, window.strata)
            return arms, adjusted, found
        rows = window.selection
        arms = {
            mode: time_arm(self.definition, rows[rows["arm"] == int(mode == "virtual")], mode, names[mode])
            for mode in MODES
        }
        return arms, {}, [stratified_time(self.definition, window.rows, window.strata)]


def grounds(
    dataset: Dataset, metric_id: str, selection: Selection = Selection(), *, margin: float | None = None
) -> Grounds:
    """Count what a comparison and its variations need, and answer the comparison itself.

    Raises
    ------
    AnalysisError
        For an unknown metric or filter value, or a margin that makes no sense on its scale.
    """
    definition = metric(metric_id)
    checked_margin(definition, margin)
    selection = selection.checked(dataset)
    missing = missing_reason(definition, dataset)
    if missing is None and definition.by:
        missing = "never_pooled"
    if missing is None and len(definition.arms) == 1:
        missing = "no_counterpart_arm"
    if missing is not None:
        whole = refused(definition, dataset, margin, (missing,))
        return Grounds(dataset, definition, selection, margin, whole, None)
    extra = () if isinstance(definition.counted_by, Tally) else ("field_office", "entity_type")
    window = window_of(dataset, [definition], counted_selection(definition, selection), extra)

    def answer() -> Comparison:
        return answer_of(definition, dataset, selection, margin, window, track=False)

    whole = window.known.once(("answer", metric_id, selection, margin), answer)
    return Grounds(dataset, definition, selection, margin, whole, window)


def stands(answer: Comparison) -> bool:
    """Whether an answer has an estimate with an interval, of enough validations."""
    row = answer.answer
    return row is not None and row.interval is not None and row.estimate is not None and row.status == "ok"


def judged(answer: Comparison) -> bool:
    """Whether the verdict of an answer is read off its interval and its margin, and off nothing else."""
    if answer.margin is None or answer.verdict in ("too_few", "not_comparable"):
        return False
    return answer.verdict != "described" or "beyond_two_sided" in answer.reasons


def read_off(interval: Interval, answer: Comparison) -> Verdict:
    """The verdict of an interval against the margin of an answer."""
    return judge(
        interval,
        harmful=answer.harmful,  # type: ignore[arg-type]  # a text that is one of the literals
        margin=answer.margin,
        margin_scale=answer.margin_scale,  # type: ignore[arg-type]  # a text that is one of the literals
        role=answer.role,
    )


def against(answer: Comparison, margin: float | None) -> Comparison:
    """An answer judged against another margin, estimated no more than once; itself for None."""
    if margin is None:
        return answer
    kept = [c for c in answer.reasons if c not in ("illustrative_margin", "beyond_two_sided", "low_power")]
    moved = dataclasses.replace(
        answer, margin=margin, margin_source="moved", reasons=("moved_margin", *kept), further_needed=None
    )
    if not judged(answer) or answer.answer is None or answer.answer.interval is None:
        return moved
    verdict = read_off(answer.answer.interval, moved)
    reasons = ("beyond_two_sided", *moved.reasons) if verdict == "described" else moved.reasons
    return dataclasses.replace(moved, verdict=verdict, reasons=reasons)


def verdict_words(answer: Comparison, verdict: Verdict | None = None) -> str:
    """A verdict within a sentence, with the arm's own name."""
    words = _VERDICTS[verdict or answer.verdict]
    name = arm_names(answer)[1] if answer.arms else "in-person"
    return words if name == "in-person" else words.replace("in person", name)


def effect(value: float | None, answer: Comparison, *, unit: bool = True) -> str:
    """An effect of a comparison with its unit: ``−2.3 points``, ``0.94 times``."""
    words = wording.amount(value, scale_of(answer))
    return f"{words} {unit_of(answer)}" if unit else words


def unit_of(answer: Comparison) -> str:
    """What the effects of a comparison are counted in."""
    return "times" if scale_of(answer) == "ratio" else "points"


def as_dict(
    rows: Iterable[Mapping[str, Any]], n: int | None, caveats: tuple[str, ...], sentence: str
) -> dict[str, Any]:
    """The JSON of an answer about robustness."""
    return {"rows": [dict(row) for row in rows], "n": n, "caveats": list(caveats), "sentence": sentence}


def size_of(answer: Comparison) -> int | None:
    """The n behind the estimate of a comparison, None where it is hidden or there is none."""
    row = answer.answer
    return row.n if row is not None and row.n else None
