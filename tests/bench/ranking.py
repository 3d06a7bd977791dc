"""How often rank intervals hold the true rank: the demo's criteria with known rates, drawn again and again.

``python -m tests.bench.ranking`` takes about a minute and writes ``reports/ranking.json``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from analysis import Selection, open_dataset
from analysis.questions.deficiencies import deficiencies
from analysis.schema import DATA_FOLDER
from analysis.stats.ranking import rank_units
from analysis.stats.shrinkage import beta_binomial

PROGRAMS = 300
REPORT = Path(__file__).parent / "reports" / "ranking.json"


def known_rates() -> tuple[np.ndarray, np.ndarray]:
    """Rates taken as the truth, spread as the shrunken rates of the demo's criteria are, and its denominators."""
    rows = [
        row
        for row in deficiencies(open_dataset(DATA_FOLDER / "demo"), "criterion", Selection()).rows
        if row.n
    ]
    events, n = (np.array([getattr(row, name) for row in rows], float) for name in ("count", "n"))
    return np.asarray(beta_binomial(events, n).posterior.estimate), n


def simulate(programs: int = PROGRAMS, *, seed: int = 2026) -> dict[str, float]:
    """Draw programs and see where the true ranks lie."""
    rates, n = known_rates()
    truth = (-rates).argsort().argsort() + 1
    rng = np.random.default_rng(seed)
    held, top_held, width = [], [], []
    for program in range(programs):
        events = rng.binomial(n.astype(int), rates)
        ranking = rank_units(beta_binomial(events, n), top=10, draws=2000, seed=program)
        inside = (np.asarray(ranking.low) <= truth) & (truth <= np.asarray(ranking.high))
        held.append(inside.mean())
        top_held.append(inside[truth <= 10].mean())
        width.append((np.asarray(ranking.high) - np.asarray(ranking.low)).mean())
    error = float(np.std(held) / np.sqrt(programs))
    return {
        "programs": programs,
        "criteria": len(rates),
        "level": 0.95,
        "held": round(float(np.mean(held)), 4),
        "monte_carlo_error": round(error, 4),
        "held_among_the_true_top_ten": round(float(np.mean(top_held)), 4),
        "mean_width_in_ranks": round(float(np.mean(width)), 1),
    }


if __name__ == "__main__":
    REPORT.write_text(json.dumps(simulate(), indent=1) + "\n", encoding="utf-8")
