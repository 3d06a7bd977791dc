"""Amounts in words: values in their units, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Sequence

from analysis import wording
from analysis.questions.contrasts import Contrast


def amount_words(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A value in its unit: whole where values are whole, hours to a tenth.

    >>> amount_words(3.5, "h"), amount_words(-3.0, "days", signed=True), amount_words(1.0, "sites")
    ('3.5 h', '−3 days', '1 site')
    """
    if value is None:
        return wording.NOT_ESTIMABLE
    return in_unit(bare([value], unit, signed=signed)[0], unit)


def in_unit(number: str, unit: str) -> str:
    """A written number, or a range of them, with its unit: of one alone in the singular."""
    one = number.lstrip("+−") == "1" and unit.endswith("s")
    return f"{number} {unit[:-1] if one else unit}"


def bare(values: Sequence[float], unit: str, *, signed: bool = False) -> list[str]:
    """Values without their unit, all to the same decimals."""
    tenths = unit == "h" or any(abs(value - round(value)) > 0.05 for value in values)
    write = wording.signed if signed else wording.number
    return [write(value, int(tenths)) for value in values]


def contrast_words(contrast: Contrast, unit: str) -> str:
    """A difference in its unit, with its interval in brackets."""
    if contrast.estimate is None:
        return wording.NOT_ESTIMABLE
    value = amount_words(contrast.estimate, unit, signed=True)
    return f"{value} ({limits(contrast, unit)})"


def limits(contrast: Contrast, unit: str) -> str:
    """The ends of an interval, or why there is none."""
    bounds = contrast.interval
    if bounds is None:
        return "ties, no interval" if "tied_values" in contrast.caveats else "no interval"
    return " to ".join(bare([bounds.low, bounds.high], unit, signed=True))


def lowered(words: str) -> str:
    """Words as they stand within a sentence."""
    return words[0].lower() + words[1:]
