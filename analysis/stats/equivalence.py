"""As good as? The verdict, read off an interval and a margin, and what it would take to reach one.

Effects are virtual minus in person (scale ``difference``, no effect 0) or virtual over in person (scale
``ratio``, no effect 1). A margin m > 0 on the difference scale makes the band (−m, m); on the ratio scale the
band runs from min(m, 1/m) to max(m, 1/m). A limit exactly on the margin is not inside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from analysis.errors import AnalysisError
from analysis.results import Interval, Verdict

Harmful = Literal["lower", "higher", "two_sided", "none"]
MarginScale = Literal["difference", "ratio"]
Nuance = Literal["or_better", "slightly_fewer", "slightly_more"]

_MOST_WORTH_NAMING = 1_000_000


def judge(
    interval: Interval,
    *,
    harmful: Harmful,
    margin: float | None,
    margin_scale: MarginScale | None,
    role: str,
) -> Verdict:
    """The verdict by inclusion of the interval, in this order.

    1. the whole interval inside the band: ``as_good``;
    2. the whole interval on the better side of no effect: ``finds_more`` for the role ``detection``, else
       ``better``;
    3. the harmful end inside the margin: ``as_good`` (non-inferiority);
    4. the whole interval beyond the margin on the harmful side: ``not_as_good``;
    5. otherwise ``cannot_tell``.

    Without a harmful direction (``two_sided``) only 1 holds, and an interval wholly outside the band is
    ``described``. A margin of no width (0, or a ratio of 1) allows no worsening at all, so nothing is ever
    ``as_good``. Without a margin, or with ``harmful="none"``, effects are ``described``.

    Parameters
    ----------
    interval : Interval
        Two-sided; at level 0.95 its harmful end is a one-sided 2.5 % test.
    harmful : {"lower", "higher", "two_sided", "none"}
        The direction of virtual that would be bad news.
    margin : float or None
        In the unit of the effect; on the ratio scale m and 1/m mean the same.
    margin_scale : {"difference", "ratio"} or None
        Scale of both margin and interval; ``None`` only without a margin.
    role : str
        Role of the metric; ``"detection"`` changes the word for more.

    Returns
    -------
    str
        A `Verdict`.

    Raises
    ------
    AnalysisError
        For a margin below 0, a ratio margin that is not positive, or unknown names.

    References
    ----------
    Schuirmann (1987), J. Pharmacokinet. Biopharm. 15, 657–680; Piaggio et al. (2012), JAMA 308, 2594–2604.

    Examples
    --------
    >>> inside = Interval(-0.044, 0.006)
    >>> judge(inside, harmful="lower", margin=0.05, margin_scale="difference", role="detection")
    'as_good'
    >>> judge(inside, harmful="lower", margin=0.04, margin_scale="difference", role="detection")
    'cannot_tell'
    """
    if margin is None or harmful == "none":
        return "described"
    band = _band(margin, margin_scale)
    low, high = (interval.low, interval.high) if harmful != "higher" else _mirrored(interval, band.scale)
    if harmful == "two_sided":
        if band.low < low and high < band.high:
            return "as_good"
        return "described" if high < band.low or low > band.high else "cannot_tell"
    if harmful not in ("lower", "higher"):
        raise AnalysisError(f"harmful must be lower, higher, two_sided or none; got {harmful!r}.")
    # From here on low is the harmful side: "higher is worse" was turned around.
    if band.low < low and high < band.high:
        return "as_good"
    if low > band.centre:
        return "finds_more" if role == "detection" else "better"
    if low > band.low and band.low < band.centre:
        return "as_good"
    if high < band.low:
        return "not_as_good"
    return "cannot_tell"


def nuance(
    interval: Interval, *, harmful: Harmful, margin: float | None, margin_scale: MarginScale | None
) -> Nuance | None:
    """What ``as_good`` leaves unsaid.

    ``"or_better"``: only the harmful end lies inside the margin, so the truth may be better than the band.
    ``"slightly_fewer"`` / ``"slightly_more"``: inside the band, yet the whole interval lies below / above no
    effect: a real but tolerable difference. ``None`` otherwise.

    Raises
    ------
    AnalysisError
        As for `judge`.

    Examples
    --------
    >>> nuance(Interval(-0.04, -0.01), harmful="lower", margin=0.05, margin_scale="difference")
    'slightly_fewer'
    >>> nuance(Interval(-0.01, 0.09), harmful="lower", margin=0.05, margin_scale="difference")
    'or_better'
    """
    verdict = judge(interval, harmful=harmful, margin=margin, margin_scale=margin_scale, role="")
    if verdict != "as_good" or margin is None:
        return None
    band = _band(margin, margin_scale)
    if not (band.low < interval.low and interval.high < band.high):
        return "or_better"
    if interval.high < band.centre:
        return "slightly_fewer"
    return "slightly_more" if interval.low > band.centre else None


def smallest_margin(interval: Interval, *, harmful: Harmful, margin_scale: MarginScale) -> float | None:
    """The margin beyond which the verdict turns to as good: any wider one passes, this one just fails.

    On the ratio scale it is returned on the side that the metric's own margin would have: below 1 when lower
    is harmful, above 1 otherwise. No effect (0 or 1) when the interval needs no margin at all; ``None`` when
    no margin would do, or none is asked for.

    Raises
    ------
    AnalysisError
        For unknown names.

    Examples
    --------
    >>> smallest_margin(Interval(-0.044, 0.006), harmful="lower", margin_scale="difference")
    0.044
    >>> smallest_margin(Interval(0.8, 1.1), harmful="higher", margin_scale="ratio")
    1.1
    """
    if harmful == "none":
        return None
    if margin_scale == "difference":
        worst = {
            "lower": -interval.low,
            "higher": interval.high,
            "two_sided": max(-interval.low, interval.high),
        }[harmful]
        needed = max(worst, 0.0)
        return needed if math.isfinite(needed) else None
    if margin_scale != "ratio":
        raise AnalysisError(f"margin_scale must be difference or ratio; got {margin_scale!r}.")
    if harmful == "lower":
        return min(interval.low, 1.0) if interval.low > 0 else None
    needed = max(interval.high, 1.0, _inverse(interval.low) if harmful == "two_sided" else 1.0)
    return needed if math.isfinite(needed) else None


def further_needed(
    estimate: float,
    interval: Interval,
    n: float,
    *,
    harmful: Harmful,
    margin: float | None,
    margin_scale: MarginScale | None,
) -> int | None:
    """How many further validations would settle the question, were the estimate to stay where it is.

    Each side of the interval (of its logarithm, for ratios) is taken to shrink with the square root of the
    number. Settled means any verdict but ``cannot_tell``.

    Parameters
    ----------
    estimate, interval : float, Interval
        The effect so far, on `margin_scale`.
    n : float
        Validations behind it, both modes together.
    harmful, margin, margin_scale
        As for `judge`.

    Returns
    -------
    int or None
        0 when already settled; ``None`` when nothing is to be judged, no number would do (the estimate sits
        on the margin), or it takes more than a million.

    Raises
    ------
    AnalysisError
        As for `judge`.

    Examples
    --------
    >>> further_needed(-0.02, Interval(-0.06, 0.02), 1000, harmful="lower", margin=0.05,
    ...                margin_scale="difference")
    778
    """
    if margin is None or harmful == "none":
        return None
    if judge(interval, harmful=harmful, margin=margin, margin_scale=margin_scale, role="") != "cannot_tell":
        return 0
    band = _band(margin, margin_scale)
    on_log = band.scale == "ratio"
    if on_log and not (estimate > 0 and interval.low > 0 and math.isfinite(interval.high)):
        return None
    at, low, high, floor, none, ceiling = (
        math.log(v) if on_log else v
        for v in (estimate, interval.low, interval.high, band.low, band.centre, band.high)
    )
    if harmful == "higher":
        at, low, high = -at, -high, -low
    below, above = at - low, high - at

    def above_line(line: float) -> float:
        # Times as many until the lower limit clears the line; the upper limit is the mirror image.
        return (below / (at - line)) ** 2 if at > line else math.inf

    def below_line(line: float) -> float:
        return (above / (line - at)) ** 2 if at < line else math.inf

    ways = [max(above_line(floor), below_line(ceiling)), below_line(floor)]
    if harmful == "two_sided":
        ways.append(above_line(ceiling))
    else:
        # Inside the margin, or better outright where the margin has no width.
        ways.append(above_line(min(floor, none)))
    times = min(ways)
    if not math.isfinite(times) or n * (times - 1) >= _MOST_WORTH_NAMING:
        return None
    # One more than the number at which a limit would sit exactly on the line, rounding aside.
    return max(math.floor(n * (times - 1) * (1 + 1e-12) + 1e-9) + 1, 1)


@dataclass(frozen=True, slots=True)
class _Band:
    low: float
    centre: float
    high: float
    scale: MarginScale


def _band(margin: float, scale: MarginScale | None) -> _Band:
    if scale == "difference" and margin >= 0:
        return _Band(-margin, 0.0, margin, scale)
    if scale == "ratio" and margin > 0:
        return _Band(min(margin, 1 / margin), 1.0, max(margin, 1 / margin), scale)
    raise AnalysisError(
        f"a margin is at least 0 on scale 'difference' and above 0 on 'ratio'; got {margin!r} on {scale!r}."
    )


def _mirrored(interval: Interval, scale: MarginScale) -> tuple[float, float]:
    if scale == "difference":
        return -interval.high, -interval.low
    return _inverse(interval.high), _inverse(interval.low)


def _inverse(ratio: float) -> float:
    return 1 / ratio if ratio > 0 else math.inf
