"""The bench's report: every line, verdict and check with its Monte-Carlo error, and whether it passes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.questions.deficiency_modes import LEVEL
from analysis.results import Interval
from analysis.stats.sensitivity import e_value
from tests.bench.truth.judging import ERRORS, Figure, Line, at_most, line, mean, on_the_margin, share
from tests.bench.truth.programs import TRUTH
from tests.bench.truth.runs import HEADLINE, STRENGTH, UNMEASURED, Promise, Screened, Unseen
from tests.bench.truth.through import TOLERANCE, Through
from tests.bench.truth.truths import METRICS

ONE_SIDED = 0.025
WITHIN_POWER = 0.04
UNDER = 0.90

Report = dict[str, Any]


def margins(found: Mapping[tuple[str, str], np.ndarray]) -> list[Report]:
    """Verdicts of every metric, the truth placed on its margin: each claim at most one time in forty."""
    out = []
    for name, definition in METRICS.items():
        primary = "standardised ratio" if definition.margin_scale == "ratio" else "standardised"
        if (name, primary) not in found:
            continue
        rows = found[name, primary]
        rows = rows[np.isfinite(rows).all(axis=1)]
        verdicts = [on_the_margin(definition, truth, Interval(low, high)) for truth, _, low, high in rows]
        for verdict in ("as_good", "not_as_good"):
            figure = share([one == verdict for one in verdicts])
            out.append(
                {
                    "metric": name,
                    "verdict": verdict,
                    "programs": len(verdicts),
                    "share": figure.to_dict(),
                    "at_most": ONE_SIDED,
                    "passes": at_most(figure, ONE_SIDED),
                }
            )
    return out


def promise(programs: Sequence[Promise], *, few: bool) -> Report:
    """Without effects: how often "as good", against the chance that the actual errors promised."""
    verdicts = [one.verdict for one in programs]
    good, promised = share([one == "as_good" for one in verdicts]), mean([one.promised for one in programs])
    slack = ERRORS * good.error if few else 0.0
    return {
        "metric": HEADLINE,
        "programs": len(programs),
        "validations": mean([one.n for one in programs]).to_dict(),
        "verdicts": {
            one: share([one == each for each in verdicts]).to_dict() for one in sorted(set(verdicts))
        },
        "as_good": good.to_dict(),
        "promised": promised.to_dict(),
        "promised_without_design_effect": mean([one.plain for one in programs]).to_dict(),
        "within": WITHIN_POWER,
        "passes": abs(good.value - promised.value) <= WITHIN_POWER + slack,
    }


def screened(programs: Sequence[Screened]) -> Report:
    """False discoveries among the criteria called different, in the app's family and with documents alone."""
    false = mean([one.document / max(one.called, 1) for one in programs])
    alone = share([one.document_alone > 0 for one in programs])
    return {
        "programs": len(programs),
        "q": LEVEL,
        "false_discovery_share": false.to_dict(),
        "false_discovery_share_of_documents_alone": alone.to_dict(),
        "criteria_called": mean([one.called for one in programs]).to_dict(),
        "passes": at_most(false, LEVEL) and at_most(alone, LEVEL),
    }


def unseen(programs: Sequence[Unseen], *, few: bool) -> Report:
    """With a hidden trait every adjusted method must fall short, and the sensitivity number stands beside."""
    lines: list[Line] = [
        line(*one, TRUTH[one[1]], np.array([each.answers[i] for each in programs]))
        for i, one in enumerate(UNMEASURED)
    ]
    adjusted = [
        one for one in lines if one.judged and one.method != "paired" and not one.method.endswith("ratio")
    ]
    slack = ERRORS if few else 0
    return {
        "strength": STRENGTH,
        "programs": len(programs),
        "below": UNDER,
        "lines": [
            {"method": one.method, "coverage": one.coverage.to_dict(), "mean_error": one.mean_error.to_dict()}
            for one in lines
        ],
        "e_value_of_what_was_hidden": _strength(lines).to_dict(),
        "e_value": mean([one.needed for one in programs]).to_dict(),
        "e_value_of_limit": mean([one.needed_limit for one in programs]).to_dict(),
        "passes": all(one.coverage.value < UNDER + slack * one.coverage.error for one in adjusted),
    }


def _strength(lines: Sequence[Line]) -> Figure:
    """The E-value of what the hidden trait did to the standardised ratio on average: how strong it really was."""
    error = next(one.mean_error for one in lines if one.method == "standardised ratio")
    if not math.isfinite(error.value):
        return Figure(math.nan, math.nan)
    away = abs(error.value)
    nearer, further = (e_value(math.exp(abs(away + sign * error.error))).estimate for sign in (-1, 1))
    return Figure(e_value(math.exp(away)).estimate, (further - nearer) / 2)


def passed_through(programs: Sequence[Through]) -> Report:
    """Programs through the command line: the same numbers."""
    largest = max(one.largest for one in programs)
    return {
        "programs": len(programs),
        "numbers": sum(one.numbers for one in programs),
        "largest_difference": float(f"{largest:.2g}"),
        "tolerance": TOLERANCE,
        "passes": largest <= TOLERANCE,
    }


def failures(report: Mapping[str, Any]) -> list[str]:
    """What does not pass, in words."""
    out = [
        f"{one['metric']}, {one['method']}: coverage {one['coverage']['value']:.4f}, mean error "
        f"{one['mean_error']['value']:.3g} (allowed {one['mean_error_allowed']:.3g}), estimated "
        f"{one['estimated']:,} of {one['programs']:,}"
        for one in report["lines"]
        if one["passes"] is False
    ]
    out += [
        f"{one['metric']} on its margin: {one['verdict']} in {one['share']['value']:.4f}"
        for one in report["on_the_margin"]
        if not one["passes"]
    ]
    return out + [
        name for name in ("without_effects", "screen", "unmeasured", "through") if not report[name]["passes"]
    ]
