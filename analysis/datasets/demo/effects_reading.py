"""Effects read from TOML and checked.

The shipped values live in ``data/effects.toml``; a user's file names only what it changes. Everything
unknown, unreadable or out of range is reported in one sentence before anything is simulated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard, get_type_hints

from analysis.datasets.demo.effects import VIRTUAL_FROM, Effects
from analysis.datasets.demo.members import ANY, offices, specialists
from analysis.errors import AnalysisError, nearest
from analysis.schema import DATA_FOLDER
from analysis.toml import read_toml

SHIPPED_EFFECTS = DATA_FOLDER / "effects.toml"
_LARGEST = 1e300


def read_effects(path: Path | None = None) -> Effects:
    """The shipped effects, changed by those a file names.

    Parameters
    ----------
    path : Path, optional
        A TOML file with any of the keys of ``data/effects.toml``; without it the shipped effects.

    Raises
    ------
    AnalysisError
        When the file cannot be read, or names an unknown key or a value that cannot be used.
    """
    return effects_from({} if path is None else _read_toml(path), source=str(path or SHIPPED_EFFECTS))


def effects_from(changes: Mapping[str, Any], *, source: str = "effects") -> Effects:
    """The shipped effects with nested `changes`; `source` names their origin in errors.

    >>> effects_from({"detection": {"virtual_ratio": {"physical": 0.5}}}).detection.virtual_ratio.physical
    0.5

    Raises
    ------
    AnalysisError
        Naming every unknown key and every value that cannot be used.
    """
    problems: list[str] = []
    values = _merge(Effects, _shipped(), changes, "", problems)
    if not problems:
        effects: Effects = _build(Effects, values)
        problems = _out_of_range(effects)
        if not problems:
            return effects
    raise AnalysisError(f"{source}: {'; '.join(problems)}")


@cache
def _shipped() -> dict[str, Any]:
    return _read_toml(SHIPPED_EFFECTS)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except OSError as error:
        raise AnalysisError(
            f"{path} cannot be read ({error.strerror}); name a TOML file of effects."
        ) from error
    except ValueError as error:
        raise AnalysisError(f"{path} is not valid TOML ({error}); mend it and run again.") from error


def _merge(
    kind: type[Any], shipped: Mapping[str, Any], changes: object, where: str, problems: list[str]
) -> dict[str, Any]:
    if not isinstance(changes, Mapping):
        problems.append(f"{where} must be a table with keys {', '.join(shipped)}, not {changes!r}")
        return dict(shipped)
    hints = get_type_hints(kind)
    merged = dict(shipped)
    for key, value in changes.items():
        name = f"{where}.{key}" if where else str(key)
        if key not in hints:
            problems.append(f"{name} is not a known effect, {nearest(str(key), hints)}".removesuffix("."))
        elif is_dataclass(hints[key]):
            merged[key] = _merge(hints[key], shipped[key], value, name, problems)
        else:
            merged[key] = _value(hints[key], value, name, problems)
    return merged


def _value(kind: object, value: object, name: str, problems: list[str]) -> object:
    if kind is str:
        if not isinstance(value, str):
            problems.append(f"{name} must be a text, not {value!r}")
    elif kind == tuple[float, ...]:
        if isinstance(value, (list, tuple)) and all(_is_number(item) for item in value):
            return value
        problems.append(f"{name} must be a list of numbers, not {value!r}")
    elif kind is int and not (_is_number(value) and float(value).is_integer()):
        problems.append(f"{name} must be a whole number, not {value!r}")
    elif not _is_number(value):
        problems.append(f"{name} must be a number, not {value!r}")
    return value


def _is_number(value: object) -> TypeGuard[float]:
    # A bound rather than math.isfinite, which stumbles over whole numbers no float can hold.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST


def _build(kind: type[Any], values: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    built: dict[str, Any] = {}
    for field in fields(kind):
        hint, value = hints[field.name], values[field.name]
        if is_dataclass(hint) and isinstance(hint, type):
            built[field.name] = _build(hint, value)
        elif hint == tuple[float, ...]:
            built[field.name] = tuple(float(item) for item in value)
        else:
            built[field.name] = hint(value)
    return kind(**built)


_LIMITS = (  # the first pattern that matches a key rules it
    (r"log_sd$", 0, 3),
    (r"in_person_median$", 0.1, 10_000),
    (r"due_days$", 1, 10_000),
    (r"_days\.virtual_ratio$|^hours\.virtual_ratio$", 0.001, 1_000),
    (r"^program\.first_year$", 1990, 2100),
    (r"^program\.members_per_validation$", 0.05, 1),
    (r"^program\.specialists$", 1, 1_000_000),
    (r"^program\.deficiencies_per_validation$", 0.001, 100),
    (r"^program\.|^detection\.in_person|^not_verified|^outcome|^feedback\.(response|would)", 0, 1),
    (r"^detection\.virtual_ratio", 0, 1_000),
    (r"^prevalence\.physical_weight$|^later_incidents\.per_missed_physical$", 0.01, 100),
    (r"^later_incidents\.base$|^plant", 0, 100_000),
    (r"specialist_sd$|criterion_sd$|^spread", 0, 5),
    (r"", -20, 20),
)


def _out_of_range(effects: Effects) -> list[str]:
    problems = []
    for name, value in _leaves(effects.to_dict()):
        low, high = next((low, high) for pattern, low, high in _LIMITS if re.search(pattern, name))
        if not low <= value <= high:
            problems.append(f"{name} must be {low:g} to {high:g}, not {value:g}")
    return problems + _contradictions(effects)


def _contradictions(effects: Effects) -> list[str]:
    problems: list[str] = []
    program = effects.program
    for seen in ("document", "interview", "physical"):
        chance = getattr(effects.detection.in_person, seen) * getattr(effects.detection.virtual_ratio, seen)
        if chance > 1:
            problems.append(f"detection.virtual_ratio.{seen} makes a probability of {chance:g}: lower it")
    problems += [
        f"program.risk_medium_share and risk_high_share.{place} together must not exceed 1"
        for place in ("domestic", "foreign")
        if program.risk_medium_share + getattr(program.risk_high_share, place) > 1
    ]
    volumes = program.volume_by_quarter
    if not volumes or min(volumes) < 0 or sum(volumes) <= 0:
        problems.append("program.volume_by_quarter must hold volumes of at least 0, not all 0")
    elif sum(volumes[max(0, (VIRTUAL_FROM.year - program.first_year) * 4 + 2) :]) == 0:
        problems.append("program.first_year and volume_by_quarter must leave validations after 1 July 2020")
    return problems + _unknown_names(effects)


def _unknown_names(effects: Effects) -> list[str]:
    problems = []
    office, specialist = effects.plant.under_recording_office, effects.plant.copying_specialist
    if office not in ("", ANY, *offices()):
        mend = nearest(office, (ANY, *offices())).removesuffix(".")
        problems.append(
            f"plant.under_recording_office '{office}' is not a field office of the program, {mend}"
        )
    names = specialists(effects.program)
    if specialist not in ("", ANY, *names):
        problems.append(
            f"plant.copying_specialist '{specialist}' is not a specialist of the program: '{ANY}', or {names[0]} to {names[-1]}"
        )
    return problems


def _leaves(values: Mapping[str, Any], where: str = "") -> list[tuple[str, float]]:
    leaves: list[tuple[str, float]] = []
    for key, value in values.items():
        name = f"{where}.{key}" if where else key
        if isinstance(value, Mapping):
            leaves += _leaves(value, name)
        elif not isinstance(value, (tuple, str)):
            leaves.append((name, value))
    return leaves
