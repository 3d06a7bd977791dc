"""Files that speak of the same period: one of them counts, or the import stops; never both."""

from __future__ import annotations

import re
from collections.abc import Sequence

import narwhals as nw
import pandas as pd

from analysis.datasets.engines import Engine, Frame, collected
from analysis.datasets.mapping import TableMapping
from analysis.errors import AnalysisError

Period = tuple[str, ...]
_LISTED = 6


def without_overlap(
    engine: Engine, files: Sequence[tuple[str, Frame]], spec: TableMapping
) -> tuple[list[Frame], dict[str, int]]:
    """Rows of each file without those of periods that another file settles.

    Parameters
    ----------
    files : sequence of (name, frame)
        In the order given.

    Returns
    -------
    frames : list of Frame
        In the same order.
    left_out : dict
        Rows left out, by reason: which file's they gave way to, for which periods.

    Raises
    ------
    AnalysisError
        When files overlap and the mapping refuses that, or rows are numbered and it does not say what to do.
    """
    frames = [frame for _, frame in files]
    if len(files) < 2:
        return frames, {}
    if spec.overlap is None:
        numbered = next((ours for ours, feed in spec.feeds.items() if feed.row is not None), None)
        if numbered:
            raise AnalysisError(
                f"{spec.table}.{numbered} is a row number, so the same record in two files would count twice; "
                f'give one file, or add overlap = {{ columns = […], keep = "latest" }} under [tables.{spec.table}].'
            )
        return frames, {}
    rule = spec.overlap
    if rule.keep == "all":
        return frames, {}
    columns = list(rule.columns)
    periods = [_periods(frame, columns) for frame in frames]
    shared = sorted(
        {p for i, own in enumerate(periods) for other in periods[i + 1 :] for p in own & other}, key=_natural
    )
    if not shared:
        return frames, {}
    if rule.keep == "refuse":
        names = [name for (name, _), own in zip(files, periods, strict=True) if own & set(shared)]
        raise AnalysisError(
            f"{' and '.join(names)} both speak of {_words(shared, columns)}: give one of them, so that nothing counts twice."
        )
    # The file that reaches furthest is the newest; of two that reach as far, the one given last.
    order = sorted(
        range(len(files)), key=lambda i: (max(map(_natural, periods[i]), default=()), i), reverse=True
    )
    settled: dict[Period, int] = {}
    left_out: dict[str, int] = {}
    for i in order:
        for winner in order:
            lost = [period for period in periods[i] if settled.get(period) == winner]
            if lost:
                frames[i], n = _without(engine, frames[i], columns, lost)
                words = _words(sorted(lost, key=_natural), columns)
                left_out[f"{files[i][0]}: {words} superseded by {files[winner][0]}"] = n
        for period in periods[i]:
            settled.setdefault(period, i)
    return frames, left_out


def _stripped(column: str) -> nw.Expr:
    return nw.col(column).fill_null("").str.strip_chars()


def _periods(frame: Frame, columns: list[str]) -> set[Period]:
    rows = collected(frame.select(*[_stripped(c).alias(f"_{i}") for i, c in enumerate(columns)]).unique())
    return set(rows.itertuples(index=False, name=None))


def _without(engine: Engine, frame: Frame, columns: list[str], lost: list[Period]) -> tuple[Frame, int]:
    keys = [f"_overlap_{i}" for i in range(len(columns))]
    marks = engine.from_pandas(pd.DataFrame(lost, columns=keys, dtype="str").assign(_overlap=1))
    keyed = frame.with_columns(*[_stripped(c).alias(key) for c, key in zip(columns, keys, strict=True)])
    marked = engine.kept(keyed.join(marks, on=keys, how="left"))
    n = int(collected(marked.select(nw.col("_overlap").sum()))["_overlap"].fillna(0).iloc[0])
    kept = marked.filter(nw.col("_overlap").is_null()).drop("_overlap", *keys)
    return engine.kept(kept), n


def _words(periods: Sequence[Period], columns: Sequence[str]) -> str:
    shown = [" ".join(value or "(empty)" for value in period) for period in periods[:_LISTED]]
    more = f" and {len(periods) - _LISTED} more" if len(periods) > _LISTED else ""
    return f"{' '.join(columns)} {', '.join(shown)}{more}"


def _natural(period: Period) -> tuple[tuple[int, str], ...]:
    # "FY9" comes before "FY10": numbers inside a period count as numbers.
    parts = [part for text in period for part in re.split(r"(\d+)", text)]
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
