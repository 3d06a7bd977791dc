"""A part of a dataset: what some field offices hold, as a dataset of its own.

Somebody who may see one office only is shown its part. Rows of other offices are not filtered out of answers there:
they never come near them, since cells, prepared rows, vocabularies and counts are made of the office's rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from analysis.datasets.checks import empty_rejects
from analysis.datasets.engines import DUCKDB, EMPTY, Engine, Frame, engine_named, number_of_rows
from analysis.datasets.folders import written_aside
from analysis.datasets.preparing import finish_dataset
from analysis.errors import AnalysisError, nearest
from analysis.schema import TABLES
from analysis.toml import read_toml

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_OF_ITS_OFFICE = ("validations", "incidents")
_BELONGS_TO = {"findings": "validations", "feedback": "validations", "incident_causes": "incidents"}


def write_part(
    whole: Dataset,
    offices: Sequence[str],
    out: Path,
    *,
    engine: str = DUCKDB,
    progress: Callable[[str], None] = lambda step: None,
    beside: Callable[[Path], None] = lambda folder: None,
) -> None:
    """Write the part of a dataset that belongs to some field offices; `out` takes its new content in one step.

    Validations and incidents are those of the offices, with what belongs to them. Members are those in the offices'
    charge; of other members that the offices validated, or that had an incident there, only the kind of business is
    kept. Rejected rows have no office that is known, so they stay with the whole.

    Parameters
    ----------
    whole : Dataset
    offices : sequence of str
    out : Path
    engine : str
        What touches the rows: see `engine_named`.
    progress : callable
        Told each step in words.
    beside : callable
        Writes what else the part holds: given the folder once it is a dataset, before it takes its place.

    Raises
    ------
    AnalysisError
        For an office the dataset does not have, an office without a record, or an `out` that would be lost.
    """
    known = whole.present("field_office")
    for office in offices:
        if office not in known:
            raise AnalysisError(
                f"'{office}' is no field office of {whole.name} with records; {nearest(office, known)}"
            )
    if not offices:
        raise AnalysisError("a part needs at least one field office.")
    worker = engine_named(engine, beside=out)
    try:
        with written_aside(out) as folder:
            for name, frame in _tables_of(worker, whole, sorted(set(offices))).items():
                progress(f"Writing {name} of {', '.join(sorted(set(offices)))}")
                order = dict.fromkeys((*TABLES[name].key, *TABLES[name].names))
                worker.write_parquet(frame, folder / "source" / f"{name}.parquet", order_by=list(order))
            empty_rejects().to_parquet(folder / "rejects.parquet", index=False)
            worker.forget()
            finish_dataset(folder, _manifest(whole, offices), engine=worker, progress=progress)
            beside(folder)
    finally:
        worker.close()


def _tables_of(engine: Engine, whole: Dataset, offices: Sequence[str]) -> dict[str, Frame]:
    held = {
        name: engine.read_parquet(whole.path / "source" / f"{name}.parquet")
        for name in TABLES
        if whole.has(name)
    }
    here = nw.col("field_office").is_in(list(offices))
    out: dict[str, Frame] = {}
    for name, frame in held.items():
        if name in (*_OF_ITS_OFFICE, "field_offices"):
            out[name] = engine.kept(frame.filter(here))
        elif name not in (*_BELONGS_TO, "members"):
            out[name] = frame
    for name, owner in _BELONGS_TO.items():
        if name in held:
            key = TABLES[owner].key[0]
            out[name] = held[name].join(out[owner].select(key).unique(), on=key, how="semi")
    if "members" in held:
        out["members"] = engine.kept(_members(held["members"], out, here))
    if not any(number_of_rows(out[name]) for name in _OF_ITS_OFFICE if name in out):
        raise AnalysisError(
            f"there are neither validations nor incidents of {', '.join(offices)}: nothing to show."
        )
    return out


def _members(members: Frame, tables: Mapping[str, Frame], here: nw.Expr) -> Frame:
    """Members in the offices' charge, and the kind of business of others that have records there."""
    seen = nw.concat([tables[name].select("member_id") for name in _OF_ITS_OFFICE if name in tables]).unique()
    columns = TABLES["members"].columns
    guests = members.filter(~here | nw.col("field_office").is_null()).join(seen, on="member_id", how="semi")
    known = ("member_id", "entity_type")
    bare = [nw.col(c.name) if c.name in known else EMPTY[c.type].alias(c.name) for c in columns]
    return nw.concat([members.filter(here).select(*[c.name for c in columns]), guests.select(*bare)])


def _manifest(whole: Dataset, offices: Sequence[str]) -> dict[str, Any]:
    named = ", ".join(whole.label("field_office", office) for office in sorted(set(offices)))
    manifest = read_toml(whole.path / "dataset.toml")
    note = f"Only {named}, a part of {whole.name}. Rows that its import rejected are not in a part."
    return {
        **manifest,
        "name": f"{whole.name}: {named}",
        "source_note": f"{manifest.get('source_note', '')} {note}".strip(),
        "part": {"of": whole.edition, "offices": sorted(set(offices))},
    }
