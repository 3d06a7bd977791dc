"""The specification curve: the same question under every combination of choices that could have been made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.metrics import Tally, metric
from analysis.questions.arms import Arms, tally_rows
from analysis.questions.models import standardised, weighted
from analysis.questions.robustness import (
    Grounds,
    against,
    as_dict,
    effect,
    grounds,
    judged,
    read_off,
    size_of,
)
from analysis.questions.robustness_choices import (
    AS_ASKED,
    CHOICES,
    DIMENSIONS,
    MODEL_ADJUSTMENTS,
    STRATA,
    Sample,
    offices_as_clusters,
    restratified,
    samples,
)
from analysis.questions.sentences import margin_words
from analysis.questions.tallies import mantel_haenszel
from analysis.questions.terms import checked_margin
from analysis.questions.times import stratified_time, time_effect
from analysis.results import Comparison, Estimate, Verdict
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_SETTLED: tuple[Verdict, ...] = ("as_good", "better", "finds_more")


@dataclass(frozen=True, slots=True)
class Specification:
    """One way of making every choice: those that depart from the answer as asked, and what came of them.

    `departures` map a kind of choice (`DIMENSIONS`) to the choice made; the answer as asked has none. `verdict` is the
    interval read against the margin, None where nothing is judged or estimated.
    """

    departures: Mapping[str, str]
    estimate: Estimate
    verdict: Verdict | None

    @property
    def as_asked(self) -> bool:
        """Whether no choice departs from the answer itself."""
        return not self.departures

    @property
    def estimable(self) -> bool:
        """Whether it gave an estimate of enough validations."""
        return self.estimate.status == "ok" and self.estimate.estimate is not None

    @property
    def label(self) -> str:
        """Every departure in words."""
        if self.as_asked:
            return "As asked"
        return " · ".join(CHOICES[kind, choice] for kind, choice in self.departures.items())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        row = self.estimate
        return {
            "label": self.label,
            **{kind: self.departures.get(kind, AS_ASKED) for kind in DIMENSIONS},
            "estimate": row.estimate,
            "low": row.interval.low if row.interval else None,
            "high": row.interval.high if row.interval else None,
            "n": row.n or None,
            "status": row.status,
            "verdict": self.verdict,
            "caveats": list(row.caveats),
        }


@dataclass(frozen=True, slots=True)
class Specifications:
    """All specifications, the answer as asked first; `behind` are the counts of both arms of that.

    They share most of their validations, so how many agree is no test and no probability.
    """

    whole: Comparison
    rows: tuple[Specification, ...]
    behind: tuple[int, ...]
    caveats: tuple[str, ...]
    sentence: str

    @property
    def estimated(self) -> tuple[Specification, ...]:
        """Those with an estimate, from the lowest to the highest."""
        return tuple(
            sorted((row for row in self.rows if row.estimable), key=lambda row: row.estimate.estimate or 0.0)
        )

    @property
    def refused(self) -> dict[str, int]:
        """How many could not be estimated, by the reason given first."""
        out: dict[str, int] = {}
        for row in self.rows:
            if not row.estimable and row.estimate.caveats:
                out[row.estimate.caveats[0]] = out.get(row.estimate.caveats[0], 0) + 1
        return out

    def counted(self) -> dict[str, int]:
        """How many lie within the margin (or on the better side), wholly beyond it, and across it."""
        verdicts = [row.verdict for row in self.estimated]
        inside = sum(verdict in _SETTLED for verdict in verdicts)
        beyond = sum(verdict in ("not_as_good", "described") for verdict in verdicts)
        return {"inside": inside, "beyond": beyond, "across": len(verdicts) - inside - beyond}

    def against(self, margin: float | None) -> Specifications:
        """The same specifications judged against another margin; themselves for None."""
        if margin is None:
            return self
        whole = against(self.whole, margin)
        rows = tuple(Specification(r.departures, r.estimate, _verdict(whole, r.estimate)) for r in self.rows)
        sentence = _sentence(whole, rows) if rows else self.sentence
        return dataclasses.replace(self, whole=whole, rows=rows, sentence=sentence)

    def to_frame(self) -> pd.DataFrame:
        """One row per specification."""
        return pd.DataFrame(
            [row.to_dict() | {"caveats": ", ".join(row.estimate.caveats)} for row in self.rows]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return as_dict((row.to_dict() for row in self.rows), size_of(self.whole), self.caveats, self.sentence)


def specifications(
    dataset: Dataset, metric_id: str, selection: Selection = Selection(), *, margin: float | None = None
) -> Specifications:
    """Ask one question under every combination of choices, from one count of the rows.

    Adjustment × period × who is left out are combined in full; other methods and other clusters are asked one at a
    time of the whole, since a panel of its own compares them (`compare`).

    Parameters
    ----------
    dataset : Dataset
    metric_id : str
    selection : Selection
    margin : float, optional
        Another margin than the one set beforehand.

    Raises
    ------
    AnalysisError
        As `compare`.
    """
    checked_margin(metric(metric_id), margin)
    ground = grounds(dataset, metric_id, selection)
    if ground.window is None or not ground.stands:
        return Specifications(ground.whole, (), (), ground.whole.reasons, ground.whole.sentence).against(
            margin
        )
    tallied = isinstance(ground.definition.counted_by, Tally)
    asked = _tallied(ground) if tallied else _timed(ground)
    rows = tuple(Specification(departures, row, _verdict(ground.whole, row)) for departures, row in asked)
    sentence = _sentence(ground.whole, rows)
    return Specifications(ground.whole, rows, ground.behind(), ("same_data",), sentence).against(margin)


def _tallied(ground: Grounds) -> Iterator[tuple[dict[str, str], Estimate]]:
    for sample in samples(ground):
        window = ground.part(sample.rows)
        arms = tally_rows(ground.definition, window.rows)
        for adjustment, dropped in MODEL_ADJUSTMENTS.items():
            rows = arms.rows.drop(columns=list(dropped), errors="ignore")
            yield (
                _departures(sample, adjustment),
                _modelled(ground, Arms(rows, arms.clustered), window.strata),
            )
        if _departures(sample):
            continue
        for row in (
            *mantel_haenszel(ground.definition, arms, window.strata),
            *weighted(ground.definition, arms, window.strata),
        ):
            if row.measure == ground.whole.measure:
                # Stratified by risk, kind and location, and by nothing else.
                strata_only = {"adjustment": "core"} if row.method == "mantel_haenszel" else {}
                yield {**strata_only, "method": row.method}, row
        yield from _other_errors(ground, arms, window.strata)


def _other_errors(
    ground: Grounds, arms: Arms, strata: tuple[str, ...]
) -> Iterator[tuple[dict[str, str], Estimate]]:
    offices = offices_as_clusters(arms.rows)
    if offices is not None:
        yield {"errors": "office"}, _modelled(ground, Arms(arms.rows.assign(cluster=offices), True), strata)
    if arms.clustered:
        yield {"errors": "independent"}, _modelled(ground, Arms(arms.rows, False), strata)


def _modelled(ground: Grounds, arms: Arms, strata: tuple[str, ...]) -> Estimate:
    found, _ = standardised(ground.definition, arms, ground.dataset.modes, strata)
    return next(row for row in found if row.measure == ground.whole.measure)


def _timed(ground: Grounds) -> Iterator[tuple[dict[str, str], Estimate]]:
    for sample in samples(ground):
        window = ground.part(sample.rows)
        for adjustment, columns in STRATA.items():
            if adjustment == AS_ASKED:
                yield _departures(sample), time_effect(ground.definition, window)
                continue
            found = stratified_time(ground.definition, restratified(window.rows, columns), columns)
            # By choice, not for want of a record.
            caveats = tuple(code for code in found.caveats if code != "adjusted_for_part")
            yield _departures(sample, adjustment), dataclasses.replace(found, caveats=caveats)


def _departures(sample: Sample, adjustment: str = AS_ASKED) -> dict[str, str]:
    made = {"adjustment": adjustment, "period": sample.period, "without": sample.without}
    return {kind: choice for kind, choice in made.items() if choice != AS_ASKED}


def _verdict(whole: Comparison, row: Estimate) -> Verdict | None:
    """The interval against the margin: what the answer as asked would have been read as."""
    if row.interval is None or row.status != "ok" or not judged(whole):
        return None
    return read_off(row.interval, whole)


def _sentence(whole: Comparison, rows: tuple[Specification, ...]) -> str:
    found = Specifications(whole, rows, (), (), "")
    known = found.estimated
    values = [row.estimate.estimate for row in known]
    if not values:
        return f"None of {len(rows)} specifications could be estimated."
    span = (
        f"estimates run from {effect(values[0], whole, unit=False)} to {effect(values[-1], whole)} "
        f"(as asked {effect(whole.answer.estimate if whole.answer else None, whole, unit=False)})"
    )
    lost = len(rows) - len(known)
    left = f" {lost} more could not be estimated." if lost else ""
    if all(row.verdict is None for row in known):
        return f"Over **{len(known)}** specifications {span}.{left}"
    counted = found.counted()
    return (
        f"Of **{len(known)}** specifications **{counted['inside']}** lie within the {margin_words(whole)}, "
        f"{counted['beyond']} wholly beyond it and {counted['across']} across it; {span}.{left}"
    )
