"""Statistics from counts against the same statistics from rows, side by side in one run.

``python -m tests.bench.speed`` writes ``tests/bench/reports/speed.json``: score intervals for 97 criteria × 7 offices
in one call against a loop over statsmodels, Newcombe's against the same, and a whole comparison of a million
validations, its counting included, against models fitted to the rows. Medians of five rounds that take turns.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import statsmodels.genmod.families as families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.datasets.opening import Dataset, open_dataset
from analysis.metrics import metric
from analysis.questions.comparison import compare
from analysis.questions.designs import design_of
from analysis.questions.tallies import tally_counts, tally_rows
from analysis.questions.window import comparison_window
from analysis.selection import Selection
from analysis.stats.logit import logit
from analysis.stats.proportions import newcombe, wilson

REPORT = Path(__file__).parent / "reports" / "speed.json"
DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
MILLION = 1_000_000
ROUNDS = 5
TABLES = 97 * 7
METRIC = "any_must_deficiency"
WANTED = {"score_ci": 40, "newcombe": 500, "comparison_M": 20}
"""How many times as fast as from rows."""


def main() -> None:
    """Time everything and write the report."""
    rng = np.random.default_rng(1)
    n1, n0 = rng.integers(50, 900, TABLES), rng.integers(50, 900, TABLES)
    x1, x0 = rng.binomial(n1, 0.08), rng.binomial(n0, 0.1)
    report = {
        "score_ci": _pair(
            lambda: wilson(x1, n1),
            lambda: [proportion_confint(x, n, method="wilson") for x, n in zip(x1, n1, strict=True)],
        ),
        "newcombe": _pair(
            lambda: newcombe(x1, n1, x0, n0),
            lambda: [
                confint_proportions_2indep(a, b, c, d, method="newcomb", compare="diff")
                for a, b, c, d in zip(x1, n1, x0, n0, strict=True)
            ],
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        dataset = _million(Path(folder) / "million")
        report["comparison_M"] = _comparison(dataset)
    for name, row in report.items():
        row["wanted"] = WANTED[name]
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, row in report.items():
        print(
            f"{name}: {row['reached']:.0f} times (wanted {row['wanted']}), {row['a_s']:.4f} s against {row['b_s']:.3f} s"
        )


def _pair(
    ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int = ROUNDS
) -> dict[str, float]:
    a, b = [], []
    for _ in range(rounds):
        a.append(_seconds(ours))
        b.append(_seconds(theirs))
    fast, slow = statistics.median(a), statistics.median(b)
    return {"reached": slow / fast, "a_s": fast, "b_s": slow, "rounds": rounds}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _million(folder: Path) -> Dataset:
    """The demo with its prepared validations drawn a million times; sources and other tables stay small."""
    shutil.copytree(DEMO, folder)
    rows = folder / "prepared" / "validations.parquet"
    with duckdb.connect() as base:
        base.execute(f"create table v as select * from read_parquet('{rows}')")
        ((size,),) = base.execute("select count(*) from v").fetchall()
        picked = np.random.default_rng(2).integers(0, size, MILLION)
        base.register("picked", pd.DataFrame({"place": picked}))
        base.execute("create table numbered as select *, row_number() over () - 1 as place from v")
        base.execute(
            f"copy (select numbered.* exclude (place) from picked join numbered using (place)) to '{rows}' (format parquet)"
        )
    return open_dataset(folder)


def _comparison(dataset: Dataset) -> dict[str, float]:
    """Crude, stratified, standardised, weighted and doubly robust from counts;
    from rows the models these need, and nothing else."""
    definition = metric(METRIC)
    window = comparison_window(tally_counts(dataset, [definition], Selection()))
    design = design_of(tally_rows(definition, window.rows).rows, clustered=True)
    x = np.column_stack([np.ones(len(design.arm)), design.arm, design.covariates])
    grouped = logit(x, design.events, design.n)
    assert design.cluster is not None
    # The same validations, one row each.
    rows = np.repeat(np.arange(len(design.n)), design.n)
    event = np.concatenate(
        [np.r_[np.ones(y), np.zeros(d - y)] for y, d in zip(design.events, design.n, strict=True)]
    )
    wide, cluster = x[rows], design.cluster[rows]

    arm, covariates = wide[:, 1], np.delete(wide, 1, axis=1)

    def outcome() -> object:
        model = GLM(event, wide, family=families.Binomial())
        return model.fit(cov_type="cluster", cov_kwds={"groups": cluster})

    def from_rows() -> None:
        # Standardised; propensity, for every weighted method; an outcome model in each mode, for the doubly robust.
        outcome()
        GLM(arm, covariates, family=families.Binomial()).fit()
        for mode in (0, 1):
            GLM(event[arm == mode], covariates[arm == mode], family=families.Binomial()).fit()

    apart = float(np.abs(np.asarray(outcome().params) - grouped.coef).max())  # type: ignore[attr-defined]
    timed = _pair(lambda: compare(dataset, METRIC), from_rows, rounds=3)
    return timed | {"largest_difference_of_coefficients": apart, "validations": float(len(event))}


if __name__ == "__main__":
    main()
