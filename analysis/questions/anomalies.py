"""What deserves a second look: offices, specialists, months, cloned seals and single validations, with reasons.

Being here is a reason to look, not a finding. Nothing is ranked and nobody is named.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import wording
from analysis.questions.anomalies_months import MonthChart, days_by_month, share_by_month
from analysis.questions.anomalies_records import Reason, told
from analysis.questions.anomalies_seals import ClonedSeals, cloned_seals
from analysis.questions.anomalies_units import COUNTED, Units, units_compared, why_not
from analysis.questions.anomalies_validations import OddValidations, odd_validations
from analysis.questions.anomalies_variation import Variation, lack_of_variation
from analysis.questions.asking import answer_to
from analysis.questions.sharing import sharing
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Everything that deserves a second look in a selection of `n` validations.

    `offices` and `specialists` compare the chosen metric; `offices_counted` the number of deficiencies, None where that
    is the metric or cannot be had.
    """

    metric: str
    offices: Units
    specialists: Units
    offices_counted: Units | None
    variation: Variation
    months: tuple[MonthChart, ...]
    seals: ClonedSeals
    validations: OddValidations
    n: int | None
    sentence: str = ""
    caveats: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis anomalies --json``.

        ``rows`` holds what deserves a second look, each with its ``reasons`` (codes) and ``words``; ``offices`` and
        ``specialists`` all that were compared, in order of name.
        """
        rows = [
            {"what": what, **self._row(units, name), **told(reasons)}
            for what, units in (("office", self.offices), ("specialist", self.specialists))
            for name, reasons in self.reasons_of(what).items()
        ]
        rows += [
            {"what": "month", "measure": chart.measure, **row.to_dict()}
            for chart in self.months
            for row in chart.flagged
        ]
        cluster = self.seals.cluster
        rows += [{"what": "seals", **cluster.to_dict()}] if cluster and cluster.flagged else []
        rows += [{"what": "validation", **row.to_dict()} for row in self.validations.rows]
        return {
            "rows": rows,
            "n": self.n,
            "metric": self.metric,
            "offices": [row.to_dict() for row in self.offices.rows],
            "specialists": [row.to_dict() for row in self.specialists.rows],
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row for everything that deserves a second look."""
        return pd.DataFrame([row | {"reasons": ", ".join(row["reasons"])} for row in self.to_dict()["rows"]])

    def reasons_of(self, what: str) -> Mapping[str, tuple[Reason, ...]]:
        """Reasons of each flagged office or specialist, from all comparisons, in order of name."""
        found: dict[str, list[Reason]] = {}
        parts = (
            (self.offices, self.offices_counted) if what == "office" else (self.specialists, self.variation)
        )
        for part in parts:
            for row in part.rows if part else ():
                if row.flagged:
                    found.setdefault(row.name, []).extend(row.reasons)
        return {name: tuple(dict.fromkeys(found[name])) for name in sorted(found)}

    def _row(self, units: Units, name: str) -> dict[str, Any]:
        row = next((row for row in units.rows if row.name == name), None)
        return row.to_dict() if row else {"name": name}


def anomalies(
    dataset: Dataset, selection: Selection = Selection(), metric: str = "any_deficiency"
) -> Anomalies:
    """Look for what is unusual beyond chance, case mix and the usual spread.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
        Its offices narrow what is shown; what is usual is usual in all offices.
    metric : {"any_deficiency", "any_must_deficiency", "deficiency_rate"}
        What offices and specialists are compared on, and what is charted by month.

    Raises
    ------
    AnalysisError
        For an unknown metric, or a filter the dataset does not know.
    """
    with sharing():
        offices, specialists = (
            answer_to(units_compared, dataset, kind, metric, selection) for kind in ("office", "specialist")
        )
        counted = None
        if metric != COUNTED and why_not(dataset, COUNTED) is None:
            counted = answer_to(units_compared, dataset, "office", COUNTED, selection)
        months = (
            answer_to(share_by_month, dataset, metric, selection),
            answer_to(days_by_month, dataset, selection),
        )
        return gathered(
            metric, offices, specialists, counted, answer_to(lack_of_variation, dataset, selection), months,
            answer_to(cloned_seals, dataset, selection), answer_to(odd_validations, dataset, selection),
        )  # fmt: skip


def gathered(
    metric: str,
    offices: Units,
    specialists: Units,
    counted: Units | None,
    variation: Variation,
    months: tuple[MonthChart, ...],
    seals: ClonedSeals,
    validations: OddValidations,
) -> Anomalies:
    """The answers to all parts as one, with its sentence."""
    said = [offices.caveats, specialists.caveats, *(chart.caveats for chart in months), validations.caveats]
    caveats = tuple(dict.fromkeys(code for codes in said for code in codes))
    answer = Anomalies(
        metric, offices, specialists, counted, variation, months, seals, validations, validations.n, "",
        ("empty_selection",) if validations.n == 0 else caveats,
    )  # fmt: skip
    return dataclasses.replace(answer, sentence=_sentence(answer))


def _sentence(answer: Anomalies) -> str:
    if answer.n is None:
        return "Some counts are too small to show."
    if not answer.n:
        return "No validations match these filters."
    # Where too few can be compared, nobody can be said not to stand out.
    units = [
        f"{_number(len(answer.reasons_of(what)))} of {len(part.rows)} {what}s"
        for what, part in (("office", answer.offices), ("specialist", answer.specialists))
        if len(part.rows) > 1 and part.tau2 is not None
    ]
    text = ""
    if units:
        said = wording.listed(units)
        text = f"**{said[0].upper()}{said[1:]}** stand out beyond what chance and case mix explain. "
    odd = answer.validations.flagged
    count = "Some" if odd is None else wording.number(odd) if odd else "None"
    text += f"**{count} of {wording.counted(answer.n, 'validation')}** deserve{'s' if odd in (0, 1) else ''} a second look"
    cluster = answer.seals.cluster
    text += ", and cloned seals crowd at one place. " if cluster and cluster.flagged else ". "
    return text + "Being listed is a reason to look, not a finding."


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else wording.number(count)
