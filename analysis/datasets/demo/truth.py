"""The exact truth of a synthetic program: every metric under both modes, for the same validations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from analysis.datasets.demo.catalogue import SEEN_BY, Bools, Floats, Ints
from analysis.datasets.demo.contrasts import (
    POPULATIONS,
    ByArm,
    Contrast,
    Numbers,
    Window,
    comparison_window,
    contrasts,
    duration_contrasts,
    rate_contrasts,
)
from analysis.datasets.demo.members import NO_DAY, day_number
from analysis.datasets.demo.outcomes import ARMS
from analysis.datasets.demo.voice import score
from analysis.datasets.demo.world import RESPONDENTS, World

VERSION = "1"
"""Changes whenever the same seed gives another world."""

REPORT_HORIZON = 90
INCIDENT_HORIZON = 365
TOP_TWO = 4

Table: TypeAlias = dict[str, Any]


def truth(world: World) -> Table:
    """The truth as nested plain values: seed, version, population, metrics and the effects used.

    Every metric holds ``difference_<population>`` (virtual minus in person; for durations the ratio that
    `compare` reports) with ``…_virtual`` and ``…_in_person`` beside it; see `demo_contrasts` for the
    populations. A contrast that does not exist is absent.
    """
    window = comparison_window(world)
    return {
        "synthetic": True,
        "version": VERSION,
        "seed": world.seed,
        "validations": len(world.schedule),
        "population": {
            "validations": len(window.rows),
            "virtual": int(window.virtual.sum()),
            "in_person": int((~window.virtual).sum()),
        },
        "metric": {
            **_proportions(world, window),
            **_rates(world, window),
            **_durations(world, window),
            **_incidents(world, window),
            **_feedback(world, window),
        },
        # What is planted is no effect: it is hidden later, and stands in a table of its own.
        "effects": {name: value for name, value in world.effects.to_dict().items() if name != "plant"},
    }


def truth_toml(values: Mapping[str, Any]) -> str:
    """The truth as TOML: numbers to twelve significant digits, so that the bytes do not depend on sums."""
    return "\n".join(_toml_table(values, "")).lstrip("\n") + "\n"


def _proportions(world: World, window: Window) -> Table:
    answers, rows = world.answers, window.rows
    must = {arm: answers[arm].must_deficient[rows] > 0 for arm in ARMS}
    found = {arm: _found(world, arm)[rows] > 0 for arm in ARMS}
    asked_must = {arm: answers[arm].must_assessed[rows] > 0 for arm in ARMS}
    asked = {arm: _assessed(world, arm)[rows].sum(axis=1) > 0 for arm in ARMS}
    return {
        "any_must_deficiency": _share(window, must, asked_must),
        "any_deficiency": _share(window, found, asked),
        # Only a Must deficiency suspends or removes a member here, so that both are the same.
        "critical_findings": _share(window, must, asked_must),
        "passed": _share(
            window, {arm: ~must[arm] for arm in ARMS}, _every(window), kept=_reported(world, window)
        ),
    }


def _rates(world: World, window: Window) -> Table:
    answers, rows = world.answers, window.rows
    assessed = {arm: _assessed(world, arm)[rows].astype(float) for arm in ARMS}
    found = {arm: answers[arm].deficient[rows].astype(float) for arm in ARMS}
    by_seen = {
        seen: rate_contrasts(
            window, {arm: found[arm][:, i] for arm in ARMS}, {arm: assessed[arm][:, i] for arm in ARMS}
        )
        for i, seen in enumerate(SEEN_BY)
    }
    overall = rate_contrasts(window, _summed(found), _summed(assessed))
    not_verified = {arm: answers[arm].not_verified[rows].astype(float) for arm in ARMS}
    asked = {arm: world.assessable[rows].astype(float) for arm in ARMS}
    corrections = {arm: _corrections(world, arm) for arm in ARMS}
    return {
        "deficiency_rate": {**overall, **by_seen},
        "must_deficiency_rate": rate_contrasts(
            window,
            {arm: answers[arm].must_deficient[rows].astype(float) for arm in ARMS},
            {arm: answers[arm].must_assessed[rows].astype(float) for arm in ARMS},
        ),
        "not_verified_rate": rate_contrasts(window, _summed(not_verified), _summed(asked)),
        "repeat_rate": {
            "note": "None: arms are the mode of the earlier validation, which stays as it happened."
        },
        "closed_on_time": rate_contrasts(
            window,
            {arm: corrections[arm][0][rows] for arm in ARMS},
            {arm: corrections[arm][1][rows] for arm in ARMS},
        ),
    }


def _corrections(world: World, arm: str) -> tuple[Floats, Floats]:
    # Deficiencies of this mode corrected in time, and those due by the as-of date: both as the metric counts.
    findings, clocks, allowed = world.findings, world.clocks[arm], world.effects.close_days.due_days
    written = findings.written(arm)
    which = findings.validation[written]
    takes = np.ceil(clocks.days_to_close[which] * findings.correction_share[written])
    due = world.schedule.day[which] + clocks.days_to_report[which] + allowed <= day_number(world.as_of)
    n = len(world.schedule)
    on_time = np.bincount(which, due & (takes <= allowed), minlength=n)
    return on_time.astype(float), np.bincount(which, due, minlength=n).astype(float)


def _durations(world: World, window: Window) -> Table:
    rows, clocks = window.rows, world.clocks
    recorded = world.hours_recorded[rows].astype(float)
    return {
        "days_to_report": duration_contrasts(
            window,
            {arm: clocks[arm].days_to_report[rows].astype(float) for arm in ARMS},
            _every(window),
            horizon=REPORT_HORIZON,
        ),
        "days_to_close": duration_contrasts(
            window,
            {arm: clocks[arm].days_to_close[rows] for arm in ARMS},
            {arm: (_found(world, arm)[rows] > 0).astype(float) for arm in ARMS},
            horizon=REPORT_HORIZON,
            kept=_reported(world, window),
        ),
        "hours": duration_contrasts(
            window, {arm: clocks[arm].hours[rows] for arm in ARMS}, dict.fromkeys(ARMS, recorded)
        ),
    }


def _incidents(world: World, window: Window) -> Table:
    days = {arm: world.incident_days[arm][window.rows] for arm in ARMS}
    free = {arm: np.minimum(days[arm], INCIDENT_HORIZON) for arm in ARMS}
    return {
        "incident_within_12_months": {
            **_share(window, {arm: days[arm] <= INCIDENT_HORIZON for arm in ARMS}, _every(window)),
            **contrasts(window, Contrast(free, _every(window)), prefix="restricted_mean_difference"),
        }
    }


def _feedback(world: World, window: Window) -> Table:
    rows, voices = window.rows, world.voices
    confident: Table = {
        "note": "By respondent, never pooled; of all validations, as if every one had answered."
    }
    again: Table = {"note": "Virtual only: there is no in-person counterpart."}
    for i, respondent in enumerate(RESPONDENTS):
        high = {arm: score(voices.confidence[arm][rows, i]) >= TOP_TWO for arm in ARMS}
        answered = voices.answered[rows, i].astype(float)
        confident[respondent] = _share(window, high, _every(window), kept=answered)
        repeats = dict.fromkeys(ARMS, voices.repeat[rows, i])
        numbers = _share(window, repeats, _every(window), kept=answered)
        names = [f"difference_{population}_virtual" for population in POPULATIONS]
        again[respondent] = {name: numbers[name] for name in names if name in numbers}
    return {"feedback_confidence": confident, "would_repeat_virtual": again}


def _share(
    window: Window,
    value: Mapping[str, Bools],
    size: Mapping[str, Bools] | ByArm,
    *,
    kept: Floats | None = None,
) -> Numbers:
    counted = {arm: size[arm].astype(float) for arm in ARMS}
    return contrasts(window, Contrast({arm: value[arm] * counted[arm] for arm in ARMS}, counted, kept=kept))


def _every(window: Window) -> ByArm:
    return {arm: np.ones(len(window.rows)) for arm in ARMS}


def _summed(values: ByArm) -> ByArm:
    return {arm: values[arm].sum(axis=1) for arm in ARMS}


def _found(world: World, arm: str) -> Ints:
    return np.asarray(world.answers[arm].deficient.sum(axis=1))


def _assessed(world: World, arm: str) -> Ints:
    return world.assessable - world.answers[arm].not_verified


def _reported(world: World, window: Window) -> Floats:
    return np.asarray(world.reported[window.rows] != NO_DAY, float)


def _toml_table(values: Mapping[str, Any], name: str) -> list[str]:
    lines = [f"\n[{name}]"] if name else []
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    lines += [f"{key} = {_toml_value(value)}" for key, value in plain.items()]
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += _toml_table(value, f"{name}.{key}" if name else key)
    return lines


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (float, np.floating)):
        # Adding zero turns a negative zero into a plain one.
        return repr(float(f"{float(value):.12g}") + 0.0)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
