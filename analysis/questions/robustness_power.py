"""What could have been seen at this size? The detectable difference, the power to find others, what n would settle."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import wording
from analysis.metrics import Tally
from analysis.questions.arms import tally_rows
from analysis.questions.robustness import Grounds, as_dict, effect, grounds, size_of
from analysis.questions.sentences import margin_words
from analysis.results import Comparison, Interval
from analysis.selection import Selection
from analysis.stats.bounds import normal_quantile
from analysis.stats.power import (
    detectable_difference,
    detectable_from_error,
    power_from_error,
    power_two_proportions,
    power_within_margin,
)

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

POWER = 0.80
"""The power that a detectable difference and a number that would settle are told for."""
_POINTS = 41
_MOST_TOLD = 1_000_000


@dataclass(frozen=True, slots=True)
class Detectable:
    """What a comparison of this size could have found.

    `detectable` is the smallest true effect, in the direction that would be bad news, found with `POWER`; `curve` holds
    (true effect, power). `half_width` is that of the interval (of the logarithm, for ratios). `design_effect` is the
    factor by which clustering and adjustment change the variance, for proportions; `n` validations (criteria, for rates)
    of each mode in the comparison window. `power_at_margin` is the power to find a true effect as large as the margin,
    `chance_within` the chance of *as good* if there truly is no difference, `n_within` the validations, of both modes
    together in the present mix, at which that chance is `POWER`. None where there is no margin, or no number would do.
    `behind` are the counts of both arms.
    """

    whole: Comparison
    n: dict[str, int]
    half_width: float | None
    design_effect: float | None
    detectable: float | None
    curve: tuple[tuple[float, float], ...]
    power_at_margin: float | None
    chance_within: float | None
    n_within: int | None
    behind: tuple[int, ...]
    caveats: tuple[str, ...]
    sentence: str

    def to_frame(self) -> pd.DataFrame:
        """The power curve."""
        return pd.DataFrame(list(self.curve), columns=["effect", "power"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: one row of what could be found."""
        row = {
            "detectable": self.detectable, "power": POWER, "half_width": self.half_width,
            "design_effect": self.design_effect, "power_at_margin": self.power_at_margin,
            "chance_within": self.chance_within, "n_within": self.n_within,
            "further_needed": self.whole.further_needed, **{f"n_{mode}": n for mode, n in self.n.items()},
        }  # fmt: skip
        return as_dict([row], size_of(self.whole), self.caveats, self.sentence)


def detectable(
    dataset: Dataset, metric_id: str, selection: Selection = Selection(), *, margin: float | None = None
) -> Detectable:
    """The difference this comparison could have found, and the number that would settle it.

    Proportions: the score test of two proportions, its variance multiplied by the design effect that the actual error
    implies. Everything else: from the error of the estimate alone, on the log scale for ratios. Nothing here depends on
    the estimate itself, which would only repeat the p-value.

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
    ground = grounds(dataset, metric_id, selection, margin=margin)
    whole = ground.whole
    if ground.window is None or not ground.stands:
        return Detectable(
            whole, {}, None, None, None, (), None, None, None, (), whole.reasons, whole.sentence
        )
    assert whole.answer is not None and whole.answer.interval is not None
    n, behind = _sizes(ground)
    reach = _on_scale(whole.answer.interval, whole).half_width
    se = reach / normal_quantile(whole.answer.interval.level)
    found = (
        _proportions(whole, n, se) if whole.kind == "proportion" and whole.measure == "difference" else None
    )
    smallest, design_effect, power = found or _from_error(whole, se)
    width = _margin_width(whole)
    chance, needed = _within(whole, width, se, behind)
    answer = Detectable(
        whole, n, reach, design_effect, smallest, _curve(whole, smallest, width, power),
        power(_signed(width, whole)) if width else None, chance, needed, ground.behind(), ("not_post_hoc",), "",
    )  # fmt: skip
    return dataclasses.replace(answer, sentence=_sentence(answer))


def _sizes(ground: Grounds) -> tuple[dict[str, int], int]:
    """Denominators of both modes in the window, and the validations behind them."""
    rows = ground.inside
    if isinstance(ground.definition.counted_by, Tally):
        arms = tally_rows(ground.definition, rows)
        n = {mode: arms.total(arm)[1] for mode, arm in _ARMS.items()}
        return n, arms.validations(1) + arms.validations(0)
    n = {mode: int(rows.loc[rows["arm"] == arm, "n"].sum()) for mode, arm in _ARMS.items()}
    return n, sum(n.values())


_ARMS = {"virtual": 1, "in_person": 0}


def _proportions(
    whole: Comparison, n: dict[str, int], se: float
) -> tuple[float | None, float | None, Callable[[float], float | None]] | None:
    """Detectable difference, design effect and power by the test of two proportions; None without both shares."""
    p1, p0 = (whole.adjusted_arms[mode].estimate if mode in whole.adjusted_arms else None for mode in _ARMS)
    if p1 is None or p0 is None or not min(n.values()):
        return None
    plain = p1 * (1 - p1) / n["virtual"] + p0 * (1 - p0) / n["in_person"]
    if plain == 0:
        return None
    factor = se**2 / plain
    sizes = (n["virtual"], n["in_person"])
    down, up = (
        detectable_difference(p0, *sizes, power=POWER, direction=way, design_effect=factor)
        for way in ("down", "up")
    )
    if whole.harmful == "two_sided":
        both = [value for value in (down, up) if value is not None]
        smallest = max(both, key=abs) if len(both) == 2 else None
    else:
        smallest = up if whole.harmful == "higher" else down

    def power(value: float) -> float | None:
        if not 0 <= p0 + value <= 1:
            return None
        return power_two_proportions(p0 + value, p0, *sizes, design_effect=factor)

    return smallest, factor, power


def _from_error(
    whole: Comparison, se: float
) -> tuple[float | None, float | None, Callable[[float], float | None]]:
    """The same from the error alone, without a design effect."""

    def power(value: float) -> float | None:
        return power_from_error(_linear(value, whole), se)

    return _signed(detectable_from_error(se, power=POWER), whole), None, power


def _curve(
    whole: Comparison, smallest: float | None, width: float | None, power: Callable[[float], float | None]
) -> tuple[tuple[float, float], ...]:
    """Power over true effects from none to well beyond what is detectable."""
    known = [abs(_linear(smallest, whole))] if smallest is not None else []
    end = max([1.6 * size for size in (*known, width or 0.0)], default=0.0)
    values = [_signed(end * step / (_POINTS - 1), whole) for step in range(_POINTS)]
    found = [(value, power(value)) for value in values]
    return tuple((value, chance) for value, chance in found if chance is not None)


def _within(
    whole: Comparison, width: float | None, se: float, behind: int
) -> tuple[float | None, int | None]:
    """The chance of *as good* were there no difference, and the validations at which it is `POWER`."""
    if not width or whole.verdict in ("not_comparable", "described"):
        return None, None
    both = whole.harmful == "two_sided"
    needed = detectable_from_error(se, power=(1 + POWER) / 2 if both else POWER)
    total = math.ceil(behind * (needed / width) ** 2)
    return power_within_margin(width, se, two_sided=both), total if total <= _MOST_TOLD else None


def _on_scale(interval: Interval, whole: Comparison) -> Interval:
    if whole.measure != "ratio":
        return interval
    return Interval(math.log(interval.low), math.log(interval.high), interval.level)


def _linear(value: float, whole: Comparison) -> float:
    return math.log(value) if whole.measure == "ratio" else value


def _signed(size: float, whole: Comparison) -> float:
    """An effect of that size (of its logarithm, for ratios) in the direction that would be bad news."""
    value = size if whole.harmful == "higher" else -size
    return math.exp(value) if whole.measure == "ratio" else value


def _margin_width(whole: Comparison) -> float | None:
    """How wide the margin is, on the scale of the error; None without one, or with one of no width."""
    if whole.margin is None:
        return None
    width = abs(math.log(whole.margin)) if whole.margin_scale == "ratio" else whole.margin
    return width or None


def _sentence(answer: Detectable) -> str:
    whole = answer.whole
    if answer.detectable is None:
        return "At this size not even the largest possible difference would be found four times in five."
    either = "± " if whole.harmful == "two_sided" and whole.measure != "ratio" else ""
    size = (
        effect(answer.detectable, whole)
        if not either
        else f"±{effect(abs(answer.detectable), whole).lstrip('+')}"
    )
    said = f"At this size a true {'ratio' if whole.measure == 'ratio' else 'difference'} of **{size}** would be found four times in five"
    if answer.chance_within is None:
        return f"{said}."
    times = "more than 99" if answer.chance_within > 0.99 else f"{answer.chance_within * 100:.0f}"
    said += (
        f". Were there none, “as good” within the {margin_words(whole)} would come out {times} times in 100"
    )
    if answer.n_within is None or answer.chance_within >= POWER:
        return f"{said}."
    return f"{said}; four in five takes about **{wording.about(answer.n_within)}** validations."
