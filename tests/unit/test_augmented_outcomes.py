"""Augmented weighting where a rare value has no event in one mode: its outcome model leaves that value out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.metrics import metric
from analysis.questions.arms import Arms
from analysis.questions.designs import design_of
from analysis.questions.models import weighted
from analysis.stats.weighting import overlap_weighting_augmented

RNG = np.random.default_rng(8)
N = 1_200
STRATA = ("risk", "kind", "location")


def arms(*, rare_events: bool) -> Arms:
    """Validations of three entity types; of the rare one 6 in person, all or none of them without an event."""
    arm = RNG.permuted(np.repeat([1, 0], [800, 400]))
    entity = np.where(RNG.random(N) < 0.6, "importer", "exporter").astype(object)
    entity[np.flatnonzero(arm == 1)[:30]] = entity[np.flatnonzero(arm == 0)[:6]] = "rare"
    y = (RNG.random(N) < np.where(entity == "importer", 0.5, 0.3)).astype(int)
    in_person = np.flatnonzero((entity == "rare") & (arm == 0))
    y[in_person] = [1, 1, 1, 0, 0, 0] if rare_events else 0
    risk = RNG.choice(["low", "high"], N)
    one = np.ones(N, int)
    columns = {
        "n": one,
        "y": y,
        "d": one,
        "yy": y,
        "dd": one,
        "yd": y,
        "arm": arm,
        "stratum": (risk == "low").astype(int),
    }
    more = {
        "quarter": 8_082,
        "cluster": RNG.integers(0, 60, N),
        "risk": risk,
        "kind": "initial",
        "location": "foreign",
    }
    return Arms(pd.DataFrame({**columns, **more, "entity_type": entity}), clustered=True)


def test_a_value_without_events_in_one_mode_does_not_take_the_answer_away() -> None:
    found = {
        row.method: row
        for row in weighted(metric("any_deficiency"), arms(rare_events=False), STRATA)
        if row.measure == "difference"
    }
    plain = found["overlap_weighted"]
    assert plain.interval is not None
    for name in ("doubly_robust", "aipw"):
        row = found[name]
        assert row.interval is not None and row.status == "ok", row.caveats
        assert "entity_type" in row.settings["adjusted_for"]
        assert row.estimate == pytest.approx(plain.estimate, abs=0.2 * plain.interval.half_width)


def test_where_every_value_has_events_the_outcome_models_know_them_all() -> None:
    rows = arms(rare_events=True)
    mine = next(
        row
        for row in weighted(metric("any_deficiency"), rows, STRATA)
        if (row.method, row.measure) == ("doubly_robust", "difference")
    )
    d = design_of(rows.rows, clustered=True)
    theirs = overlap_weighting_augmented(d.arm, d.covariates, d.events, d.n, cluster=d.cluster).difference
    assert mine.interval is not None and theirs.interval is not None
    assert (mine.estimate, mine.interval.low) == pytest.approx((theirs.estimate, theirs.interval.low))
