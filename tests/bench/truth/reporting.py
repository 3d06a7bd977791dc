"""The bench's report: every line, verdict and check with its Monte-Carlo error, and whether it passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.questions.deficiency_modes import LEVEL
from analysis.results import Interval
from tests.bench.truth.judging import Line, at_most, line, mean, on_the_margin, share
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
    """Without effects: how often "as good", against what the power of the actual numbers promised."""
    good, power = share([one.verdict == "as_good" for one in programs]), mean([one.power for one in programs])
    gap = good.value - power.value
    slack = 3 * good.error if few else 0.0
    return {
        "metric": HEADLINE,
        "programs": len(programs),
        "verdicts": {
            verdict: share([one.verdict == verdict for one in programs]).to_dict()
            for verdict in sorted({one.verdict for one in programs})
        },
        "validations": mean([one.n for one in programs]).to_dict(),
        "promised": power.to_dict(),
        "within": WITHIN_POWER,
        "passes": abs(gap) <= WITHIN_POWER + slack,
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
    adjusted = [one for one in lines if one.judged and one.method != "paired" and not one.method.endswith("ratio")]
    slack = 3 if few else 0
    return {
        "strength": STRENGTH,
        "programs": len(programs),
        "below": UNDER,
        "lines": [
            {"method": one.method, "coverage": one.coverage.to_dict(), "mean_error": one.mean_error.to_dict()}
            for one in lines
        ],
        "e_value": mean([one.needed for one in programs]).to_dict(),
        "e_value_of_limit": mean([one.needed_limit for one in programs]).to_dict(),
        "passes": all(one.coverage.value < UNDER + slack * one.coverage.error for one in adjusted),
    }


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
    return out + [name for name in ("without_effects", "screen", "unmeasured", "through") if not report[name]["passes"]]
