"""Where does an office stand beside the whole program? What may be told of it to somebody who sees one office only."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import tomli_w

from analysis import wording
from analysis.counts import available, counts
from analysis.errors import AnalysisError
from analysis.questions.overview import overview
from analysis.questions.overview_records import Statistic
from analysis.results import Interval
from analysis.toml import read_toml

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

PROGRAM = "program.toml"
"""File of a part that holds what may be told of the whole."""

FEWEST_OTHERS = 2
"""Other offices with records that the whole must have: less than that, the whole less one's own is one office."""

SMALLEST = 5


@dataclass(frozen=True, slots=True)
class ProgramTotals:
    """Key statistics of some offices and of the whole program, both over all of the period and without filters.

    `rows` holds the office's own statistic and the whole program's, which is None where it may not be told.
    """

    rows: tuple[tuple[Statistic, Statistic | None], ...]
    sentence: str
    caveats: tuple[str, ...] = ()

    @property
    def n(self) -> int | None:
        """Validations of the whole program, where that may be told."""
        whole = next((whole for own, whole in self.rows if own.id == "validations"), None)
        return whole.count if whole else None

    def to_dict(self) -> dict[str, Any]:
        """Rows of both, as the command line gives answers."""
        rows = [
            {"of": of} | statistic.to_dict()
            for own, whole in self.rows
            for of, statistic in (("offices", own), ("program", whole))
            if statistic is not None
        ]
        return {"rows": rows, "n": self.n, "caveats": list(self.caveats), "sentence": self.sentence}

    def to_frame(self) -> pd.DataFrame:
        """One row a statistic of the offices or of the program."""
        return pd.DataFrame(self.to_dict()["rows"])


def program_totals(part: Dataset) -> ProgramTotals:
    """An office's key statistics beside the whole program's, which were written when its part was made.

    Raises
    ------
    AnalysisError
        When the dataset is no part of another, or what was written is damaged.
    """
    if part.part is None:
        raise AnalysisError(f"{part.name} is a whole dataset, not the part of an office.")
    path = part.path / PROGRAM
    try:
        told = {row["id"]: _read(row) for row in read_toml(path).get("statistic", ())}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnalysisError(f"{path} is missing or damaged ({error}): make the part again.") from error
    rows = tuple((_bare(own), told.get(own.id)) for own in overview(part).statistics)
    caveats = () if any(whole for _, whole in rows) else ("one_other_office",)
    return ProgramTotals(rows, _sentence(part, rows), caveats)


def write_program_totals(whole: Dataset, part: Dataset) -> None:
    """Write into a part what may be told of the whole it was made of.

    Told are key statistics over all of the period and without filters, so that nothing can be had by subtracting one
    selection from another. Left out is what would give a count of 1 to 4 of the other offices together, and
    everything where fewer than two other offices have records.
    """
    own = {statistic.id: statistic for statistic in overview(part).statistics}
    others = set(_offices(whole)) - set(_offices(part))
    told = [
        _bare(statistic)
        for statistic in overview(whole).statistics
        if len(others) >= FEWEST_OTHERS and _may_be_told(statistic, own.get(statistic.id))
    ]
    content = tomli_w.dumps({"statistic": [_written(statistic) for statistic in told]})
    (part.path / PROGRAM).write_text(content, encoding="utf-8", newline="\n")


def _offices(dataset: Dataset) -> list[str]:
    """Offices with validations or incidents."""
    found = [
        counts(dataset, table, ["field_office"])
        for table in ("validations", "incidents")
        if available(dataset, table)
    ]
    return [office for frame in found for office in frame.loc[frame["n"] > 0, "field_office"].dropna()]


def _may_be_told(whole: Statistic, own: Statistic | None) -> bool:
    if own is None:
        return False
    told = [(whole.count, own.count), (whole.n, own.n)]
    if whole.scale != "count":
        told.append((_without(whole), _without(own)))
    counted = [each for ours, mine in told if ours is not None for each in (ours, ours - (mine or 0))]
    return not any(0 < count < SMALLEST for count in counted)


def _without(statistic: Statistic) -> int | None:
    return None if statistic.count is None or statistic.n is None else statistic.n - statistic.count


def _bare(statistic: Statistic) -> Statistic:
    """A statistic over the whole period: no course, no change."""
    return dataclasses.replace(statistic, series=(), change=None)


def _written(statistic: Statistic) -> dict[str, Any]:
    names = ("id", "label", "scale", "unit", "count", "n", "value", "reason")
    out: dict[str, Any] = {name: getattr(statistic, name) for name in names}
    out["interval"] = [statistic.interval.low, statistic.interval.high] if statistic.interval else None
    out["middle_half"] = list(statistic.middle_half) if statistic.middle_half else None
    return {name: value for name, value in out.items() if value is not None}


def _read(row: dict[str, Any]) -> Statistic:
    bounds, half = row.get("interval"), row.get("middle_half")
    return Statistic(
        row["id"],
        row["label"],
        row["scale"],
        row["unit"],
        row.get("count"),
        row.get("n"),
        row.get("value"),
        Interval(*bounds) if bounds else None,
        (half[0], half[1]) if half else None,
        reason=row.get("reason"),
    )


def _sentence(part: Dataset, rows: tuple[tuple[Statistic, Statistic | None], ...]) -> str:
    assert part.part is not None
    offices = wording.listed([part.label("field_office", office) for office in part.part.offices])
    for own, whole in rows:
        if whole is None or own.scale != "share" or own.id == "virtual":
            continue
        if own.value is not None and whole.value is not None and own.n and whole.n:
            return (
                f"{own.label} in {offices}: **{wording.percent(own.value, own.n)}** of {wording.number(own.n)}; "
                f"in the whole program {wording.percent(whole.value, whole.n)} of {wording.number(whole.n)}."
            )
    return f"{offices} alone; what may be told of the whole program stands beside it."
