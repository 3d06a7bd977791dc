"""Whether there is anything between mode and event at all, from one 2×2 table.

Rows are the two arms, columns events and non-events. Arrays of tables have shape (…, 2, 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, HypothesisTest, whole

# Two tables count as equally likely within this relative difference, as in R's fisher.test.
_TIE = 1e-7
# Beyond this many standard deviations from the mode a hypergeometric probability is below 1e-300.
_REACH = 40.0


def chi_square(table: ArrayLike) -> HypothesisTest:
    """Pearson's chi-square test of a 2×2 table, without continuity correction.

    ``N (ad − bc)² / (r1 r2 c1 c2)`` on one degree of freedom.

    Parameters
    ----------
    table : array_like
        Shape (…, 2, 2).

    Returns
    -------
    HypothesisTest
        Statistic and p-value of shape (…); NaN where a margin is empty: nothing can be tested.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    Pearson (1900), Phil. Mag. 50, 157–175.

    Examples
    --------
    >>> t = chi_square([[0, 16], [15, 57]])
    >>> f"{t.statistic:.4f} {t.p_value:.4f}"
    '4.0183 0.0450'
    """
    a, b, c, d = cells(table)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Divided in pairs: the product of four margins overflows no float, but loses digits for nothing.
        statistic = np.asarray(
            ((a * d - b * c) / ((a + b) * (c + d)))
            * ((a * d - b * c) / ((a + c) * (b + d)))
            * (a + b + c + d)
        )
    return HypothesisTest(
        statistic, np.asarray(chdtrc(1.0, statistic)), "chi-square", np.ones_like(statistic)
    )


def fisher_exact(table: ArrayLike) -> HypothesisTest:
    """Fisher's exact test, two-sided: the tables no likelier than the one seen, margins given.

    Parameters
    ----------
    table : array_like
        Shape (…, 2, 2).

    Returns
    -------
    HypothesisTest
        The statistic is the sample odds ratio (NaN for 0/0). The p-value is 1 where a margin is empty, since
        the one possible table was seen.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    Fisher (1935), J. R. Stat. Soc. 98, 39–82.

    Examples
    --------
    >>> f"{fisher_exact([[9, 4], [4, 10]]).p_value:.4f}"
    '0.0570'
    """
    less, tied = _conditional_p(table)
    return HypothesisTest(_odds_ratio(table), np.minimum(less + tied, 1.0), "Fisher exact")


def mid_p(table: ArrayLike) -> HypothesisTest:
    """Fisher's test with half weight for tables as likely as the one seen (two-sided mid-p).

    Keeps close to its nominal level where the exact test is needlessly cautious.

    Parameters
    ----------
    table : array_like
        Shape (…, 2, 2).

    Returns
    -------
    HypothesisTest
        The statistic is the sample odds ratio; NaN p-value where a margin is empty.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    Lancaster (1961), J. Am. Stat. Assoc. 56, 223–234; Fagerland, Lydersen & Laake (2017), chapter 4.

    Examples
    --------
    >>> f"{mid_p([[3, 1], [1, 3]]).p_value:.4f}"
    '0.2571'
    """
    less, tied = _conditional_p(table)
    a, b, c, d = cells(table)
    empty = np.minimum(np.minimum(a + b, c + d), np.minimum(a + c, b + d)) == 0
    return HypothesisTest(_odds_ratio(table), np.where(empty, np.nan, less + tied / 2), "Fisher mid-p")


def cells(table: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    """The four cells (a, b, c, d) of 2×2 tables: arm 1 events, non-events, arm 0 events, non-events.

    Raises
    ------
    AnalysisError
        For counts that are negative or not whole, or an array that is not (…, 2, 2).
    """
    t = whole("the counts of a table", table)
    if t.shape[-2:] != (2, 2):
        raise AnalysisError(f"a 2×2 table has shape (…, 2, 2); got {t.shape}.")
    return t[..., 0, 0], t[..., 0, 1], t[..., 1, 0], t[..., 1, 1]


def _odds_ratio(table: ArrayLike) -> Floats:
    a, b, c, d = cells(table)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((a * d) / (b * c))


def _conditional_p(table: ArrayLike) -> tuple[Floats, Floats]:
    """Probability of the less likely tables, and of the equally likely ones, table by table."""
    a, b, c, d = cells(table)
    less, tied = np.empty(a.shape), np.empty(a.shape)
    for i in np.ndindex(a.shape):
        less[i], tied[i] = _tails(int(a[i]), int(a[i] + b[i]), int(c[i] + d[i]), int(a[i] + c[i]))
    return less, tied


def _tails(seen: int, row_1: int, row_0: int, events: int) -> tuple[float, float]:
    # Probabilities come from ratios of neighbours, summed outwards from the mode and normalised at the end:
    # differences of log factorials of 1e8 would lose seven digits.
    total = row_1 + row_0
    if total < 2:
        return 0.0, 1.0
    mode = (row_1 + 1) * (events + 1) // (total + 2)
    sd = np.sqrt(row_1 * (row_0 / total) * (events / total) * ((total - events) / (total - 1)))
    reach = int(_REACH * sd) + 50
    lowest = max(0, events - row_0, mode - reach)
    highest = min(row_1, events, mode + reach)
    if not lowest <= seen <= highest:
        return 0.0, 0.0
    k = np.arange(lowest, highest, dtype=float)
    steps = np.log((row_1 - k) * (events - k)) - np.log((k + 1) * (row_0 - events + k + 1))
    log_weight = np.concatenate([[0.0], np.cumsum(steps)])
    weight = np.exp(log_weight - log_weight[mode - lowest])
    weight /= weight.sum()
    at = weight[seen - lowest]
    tied = np.abs(weight - at) <= _TIE * at
    return float(weight[(weight < at) & ~tied].sum()), float(weight[tied].sum())
