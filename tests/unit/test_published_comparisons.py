"""Comparisons that others published, from their counts: through the statistics, and through `compare` on an import."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import Dataset, Selection, compare, figure, open_dataset
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.questions.differences_mix import mix
from analysis.reasons import words
from analysis.results import Comparison
from analysis.stats.homogeneity import simpson
from analysis.stats.proportions import newcombe
from analysis.stats.standardisation import kitagawa
from analysis.stats.strata import mh_odds_ratio
from analysis.stats.tables import chi_square, fisher_exact

# Admitted and rejected, men then women, departments A to F (Bickel, Hammel & O'Connell 1975).
BERKELEY = {
    "A": ((512, 313), (89, 19)),
    "B": ((353, 207), (17, 8)),
    "C": ((120, 205), (202, 391)),
    "D": ((138, 279), (131, 244)),
    "E": ((53, 138), (94, 299)),
    "F": ((22, 351), (24, 317)),
}
# Programs not accredited and accredited after a remote and an in-person visit (ACGME 2023).
ACGME = ((8, 46), (2, 52))
# Findings in document-based and on-site inspections of hospitals (Osaka): a count of each kind.
OSAKA_INSTRUCTIONS = ((21, 155), (95, 256))
OSAKA_SHORTAGES = ((8, 168), (12, 339))

Table = tuple[tuple[int, int], tuple[int, int]]
COLUMNS = (
    "validation_id",
    "member_id",
    "field_office",
    "mode",
    "conducted_on",
    "entity_type",
    "risk",
    "outcome",
)


def turned(table: Table) -> Table:
    """The same table with the other outcome first."""
    (a, b), (c, d) = table
    return (b, a), (d, c)


# By source and level: passed and not passed, first the arm that stands in for virtual.
PASSED = {
    "Berkeley": BERKELEY,
    "Accreditation": {"all": turned(ACGME)},
    "Instructions": {"all": turned(OSAKA_INSTRUCTIONS)},
    "Shortages": {"all": turned(OSAKA_SHORTAGES)},
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """One row per unit; each source is a field office, each of its strata a level of risk."""
    folder = tmp_path_factory.mktemp("published")
    rows = [
        {"field_office": source, "mode": mode, "risk": level, "outcome": outcome}
        for source, tables in PASSED.items()
        for level, table in tables.items()
        for mode, counts in zip(("virtual", "in_person"), table, strict=True)
        for outcome, count in zip(("passed", "actions_required"), counts, strict=True)
        for _ in range(count)
    ]
    frame = pd.DataFrame(rows)
    number = pd.Series([f"{i:05}" for i in range(len(frame))])
    frame = frame.assign(
        validation_id="V" + number, member_id="M" + number, entity_type="importer", conducted_on="2021-03-01"
    )
    frame.to_csv(folder / "units.csv", index=False)
    mapping = {
        "name": "Published",
        "modes": {"virtual": "First", "in_person": "Second"},
        "completeness": {"criteria_asked": False},
        "vocabulary": {"field_office": "from_source", "risk": "from_source"},
        "tables": {"validations": {"columns": {column: column for column in COLUMNS}}},
    }
    import_dataset([folder / "units.csv"], parsed_mapping(mapping), folder / "dataset")
    return open_dataset(folder / "dataset")


def crude(answer: Comparison) -> tuple[float, float, float, float]:
    row = answer.estimate("crude", "difference")
    assert row is not None and row.interval is not None
    assert row.estimate is not None and row.p_value is not None
    return row.estimate, row.interval.low, row.interval.high, row.p_value


BERKELEY_ONLY = Selection(offices=("Berkeley",))


# -- statistics -----------------------------------------------------------------------------------------------


def test_berkeley_reverses_over_departments() -> None:
    found = simpson(list(BERKELEY.values()))
    assert found.crude_odds_ratio == pytest.approx(1.84108, abs=5e-6)
    assert found.pooled_odds_ratio.estimate == pytest.approx(0.904697, abs=5e-7)
    assert found.crude_difference == pytest.approx(0.141645, abs=5e-7)
    assert found.reason == "sign_turned"


def test_berkeley_in_parts() -> None:
    """By hand: 1,198 of 2,691 men and 557 of 1,835 women were admitted."""
    (men, women) = ([table[arm] for table in BERKELEY.values()] for arm in (0, 1))
    found = kitagawa(
        [a for a, _ in men], [a + b for a, b in men], [a for a, _ in women], [a + b for a, b in women]
    )
    assert found.difference == pytest.approx(1198 / 2691 - 557 / 1835, abs=1e-12)
    assert found.rate_effect == pytest.approx(-0.03602848290570063, abs=1e-12)
    assert found.mix_effect == pytest.approx(0.1776739111522425, abs=1e-12)
    # Department A took 31 % of men's and 6 % of women's applications and admitted two thirds of them.
    assert found.by_mix.argmax() == 0
    assert found.share_1[0] == pytest.approx(825 / 2691) and found.share_0[0] == pytest.approx(108 / 1835)


def test_remote_accreditation() -> None:
    odds = mh_odds_ratio([ACGME])
    assert odds.interval is not None
    assert odds.estimate == pytest.approx(4.52, abs=0.005)
    assert (odds.interval.low, odds.interval.high) == pytest.approx((0.91, 22.4), abs=0.05)
    assert fisher_exact(ACGME).p() == pytest.approx(0.093, abs=5e-4)


def test_hospital_inspections() -> None:
    fewer, shortage = chi_square(OSAKA_INSTRUCTIONS).p(), fisher_exact(OSAKA_SHORTAGES).p()
    assert fewer is not None and fewer < 0.001
    assert shortage is not None and shortage > 0.05
    found = newcombe(21, 176, 95, 351)
    bounds = found.interval()
    assert bounds is not None and bounds.high < 0
    assert found.value() == pytest.approx(21 / 176 - 95 / 351)


# -- through compare ------------------------------------------------------------------------------------------


def test_compare_names_the_paradox_of_berkeley(published: Dataset) -> None:
    answer = compare(published, "passed", BERKELEY_ONLY)
    assert (answer.arms["virtual"].events, answer.arms["virtual"].n) == (1198, 2691)
    assert (answer.arms["in_person"].events, answer.arms["in_person"].n) == (557, 1835)
    assert crude(answer)[0] == pytest.approx(0.141645, abs=5e-7)
    odds = answer.estimate("mantel_haenszel", "odds_ratio")
    assert odds is not None and odds.estimate == pytest.approx(0.904697, abs=5e-7)
    adjusted = answer.answer
    assert adjusted is not None and adjusted.estimate is not None and adjusted.estimate < 0
    assert "sign_turned" in answer.reasons
    assert "Simpson's paradox" in words("sign_turned") and "reverses" in words("sign_turned")
    title = figure("virtual_vs_in_person.ways", published, BERKELEY_ONLY, metric="passed").title
    assert title.startswith("+14.2 points crude, −") and "reverses the sign (Simpson's paradox)" in title


def test_the_mix_of_berkeley_is_departments(published: Dataset) -> None:
    found = mix(published, "passed", BERKELEY_ONLY)
    assert found.leading is not None and found.leading.columns == ("risk",)
    assert found.leading.rate_effect == pytest.approx(-0.03602848290570063, abs=1e-12)
    assert found.leading.mix_effect == pytest.approx(0.1776739111522425, abs=1e-12)
    assert "the sign reverses, which is Simpson's paradox" in found.sentence
    assert "+14.2 points" in found.sentence and "+17.8" in found.sentence and "n = 4,526" in found.sentence
    assert len(found.sentence.split()) <= 45
    assert [level.values for level in found.levels] == [(name,) for name in BERKELEY]
    for level, (men, women) in zip(found.levels, BERKELEY.values(), strict=True):
        assert (level.events_virtual, level.n_virtual) == (men[0], sum(men))
        assert (level.events_in_person, level.n_in_person) == (women[0], sum(women))
    made = figure("virtual_vs_in_person.mix", published, BERKELEY_ONLY, metric="passed")
    assert "+14.2 points crude" in made.title and "Simpson's paradox, the sign reverses" in made.title
    assert made.table.iloc[-1, -1] == "+17.8" and made.table.iloc[-1, -2] == "−3.6"
    assert "30.7%" in made.table.iloc[0, 1] and "5.9%" in made.table.iloc[0, 2]


def test_compare_gives_the_published_odds_of_remote_accreditation(published: Dataset) -> None:
    answer = compare(published, "passed", Selection(offices=("Accreditation",)))
    odds = answer.estimate("mantel_haenszel", "odds_ratio")
    assert odds is not None and odds.interval is not None and odds.estimate is not None
    # Accredited, not refused: the published ratio is the other way up.
    assert 1 / odds.estimate == pytest.approx(4.52, abs=0.005)
    assert (1 / odds.interval.high, 1 / odds.interval.low) == pytest.approx((0.91, 22.4), abs=0.05)
    difference, low, high, _ = crude(answer)
    assert difference == pytest.approx(46 / 54 - 52 / 54)
    expected = newcombe(46, 54, 52, 54).interval()
    assert expected is not None and (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert low < 0 < high


@pytest.mark.parametrize(
    ("source", "table", "certain"),
    [("Instructions", OSAKA_INSTRUCTIONS, True), ("Shortages", OSAKA_SHORTAGES, False)],
)
def test_compare_agrees_with_the_hospital_inspections(
    published: Dataset, source: str, table: Table, certain: bool
) -> None:
    difference, low, high, p = crude(compare(published, "passed", Selection(offices=(source,))))
    (y1, others_1), (y0, others_0) = table
    assert difference == pytest.approx(y0 / (y0 + others_0) - y1 / (y1 + others_1))
    assert (p < 0.001) is certain
    assert (not low <= 0 <= high) is certain
