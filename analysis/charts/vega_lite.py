"""A chart as a Vega-Lite specification: every mark with the rows and columns it draws, and no others."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

import altair as alt
import numpy as np
import pandas as pd

_INHERITED = ("encoding", "transform")
"""What a layer hands down to the layers in it."""


def vega_lite(chart: alt.Chart | alt.LayerChart) -> dict[str, Any]:
    """A chart as plain values.

    Altair cleans whole frames, once a mark, and Streamlit has it do so at every look at a page; here a mark's data are
    the columns it names. It is not checked against the schema of Vega-Lite: that takes as long as all the rest, and
    the tests do it for every figure.

    Returns
    -------
    dict
        A specification of Vega-Lite with the data inline. Missing and infinite numbers are null, dates ISO 8601.
    """
    frames: dict[str, pd.DataFrame] = {}
    spec = cast(dict[str, Any], _by_name(chart, frames).to_dict(validate=False))
    return cast(dict[str, Any], _filled(spec, frames, frozenset()))


def _by_name(chart: Any, frames: dict[str, pd.DataFrame]) -> Any:
    """The chart with a name for each frame; the chart itself stays as it is."""
    named = chart.copy(deep=False)
    if isinstance(named.data, pd.DataFrame):
        # Marks that share a frame share its name, whose object lives as long as the chart.
        name = f"frame {id(named.data)}"
        frames[name] = named.data
        named.data = alt.NamedData(name=name)
    if isinstance(named, alt.LayerChart):
        named.layer = [_by_name(layer, frames) for layer in named.layer]
    return named


def _filled(part: Any, frames: Mapping[str, pd.DataFrame], above: frozenset[str]) -> Any:
    """A part of a specification with rows where a frame is named; `above` are the words of what it inherits."""
    if isinstance(part, list):
        return [_filled(each, frames, above) for each in part]
    if not isinstance(part, dict):
        return part
    rest = {key: value for key, value in part.items() if key != "data"}
    words = above
    if "layer" in part:
        words |= _words({key: part[key] for key in _INHERITED if key in part})
    filled = {key: _filled(value, frames, words) for key, value in rest.items()}
    if "data" not in part:
        return filled
    frame = frames.get(part["data"].get("name"))
    if frame is None:
        return filled | {"data": part["data"]}
    return filled | {"data": {"values": rows_of(frame, above | _words(rest))}}


def _words(part: object) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", json.dumps(part)))


def rows_of(frame: pd.DataFrame, words: frozenset[str]) -> list[dict[str, Any]]:
    """Rows of a frame as plain values, of the columns that are among the words."""
    columns = [column for column in frame.columns if column in words]
    values = [[_plain(value) for value in frame[column].tolist()] for column in columns]
    if not columns:
        return [{} for _ in range(len(frame))]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _plain(value: object) -> object:
    """A value of JSON; what is missing is null."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
