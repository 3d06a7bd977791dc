"""Every number that a title or a text alternative tells is found again in the figure's own raw numbers.

What somebody who does not see the picture is told is worked out once more here, from `Figure.data` (fractions and
counts, before any wording), by rounding, counting, adding and dividing. `FROM_DATA` says how, where a number is not
written in the data as it stands; `SAID_WITHOUT_DATA` holds the few words with a number that no data could hold.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import Dataset, figure
from analysis.charts.figure import Figure
from analysis.charts.theme import LIGHT
from analysis.figures import registry
from tests.unit.test_palette_seen import told_by_colour_alone

NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[−+]?)(?P<digits>\d[\d,]*(?:\.\d+)?)(?P<unit>%|-point| points| percentage points)?(?![\w])"
)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MONTH = re.compile(r"\b(" + "|".join(MONTHS) + r")[a-z]* (\d{4})\b")
WORDS = {"Two": 2, "Three": 3, "Four": 4, "Five": 5, "Six": 6, "Seven": 7, "Eight": 8}
"""Numbers that open a sentence are written out."""

SAID_WITHOUT_DATA: Mapping[str, tuple[str, ...]] = {
    "*": ("95% interval", "per 1,000"),
    # Levels that were set before anything was looked at.
    "virtual_vs_in_person.criteria": ("false-discovery rate of 5%", "q < 0.05", "12 rows"),
    "msc_deficiencies.criteria_modes": ("q < 0.05", "12 rows"),
    # The published table beside it is of that year.
    "msc_deficiencies.categories": ("in 2021",),
    # What a scale means, and a time at which a curve is read.
    "feedback.agreement": ("1 is full, 0 is chance",),
    "virtual_vs_in_person.afterwards": ("at 24 months",),
    "anomalies.variation": ("1 being chance",),
    # Rules by which something was chosen, drawn or is tried, not results: the data hold every row.
    "msc_deficiencies.criteria": ("among the first 10", "12 rows"),
    "virtual_vs_in_person.balance": ("20 rows",),
    "anomalies.validations": ("in 90 minutes or less",),
    "methods.verdicts": ("against a margin of 5",),
    "methods.guardrails": ("is never 0",),
}
"""Words with a number that is set beforehand: it is in no data, because it is no result."""


SMALL = 100


@dataclasses.dataclass(frozen=True)
class Known:
    """What a figure's data hold: their values, what can be counted in them, and whether rates are told per 1,000."""

    values: set[float]
    counts: set[float]
    per: float


@dataclasses.dataclass(frozen=True)
class Told:
    """A number as it is told: ``−2.3 points`` is −2.3 with one decimal, signed, as a part of a hundred."""

    text: str
    value: float
    decimals: int
    signed: bool
    share: bool

    def is_found(self, known: Known) -> bool:
        """Whether some known number, rounded as this one is written, is this one."""
        counted = not self.decimals and not self.share
        if counted:
            # Among many values a small whole number would be there by accident: it has to be a count of something.
            pool = known.counts if self.value <= SMALL else known.counts | known.values
            return self.value in pool
        scales = (100.0,) if self.share else (1.0, 100.0, known.per)
        half = 0.5 * 10.0**-self.decimals + 1e-9
        return any(
            abs((number * scale if self.signed else abs(number * scale)) - self.value) <= half
            for number in known.values | known.counts
            for scale in scales
        )


def told(words: str) -> Iterator[Told]:
    for match in NUMBER.finditer(words):
        digits = match["digits"].rstrip(",").replace(",", "")
        value = float(digits) * (-1 if match["sign"] == "−" else 1)
        decimals = len(digits.partition(".")[2])
        yield Told(match[0], value, decimals, bool(match["sign"]), match["unit"] is not None)
    for word, number in WORDS.items():
        if re.search(rf"\b{word}\b", words):
            yield Told(word, float(number), 0, False, False)


Figures = Mapping[str, Figure]
MODES = ("virtual", "in_person")


Worked = Callable[[pd.DataFrame, Figures], float]
"""A number made of a figure's data, or of another figure's."""


def total(column: str) -> Worked:
    return lambda data, _: float(data[column].sum())


def count_of(condition: str) -> Worked:
    """How many rows meet a condition on the columns."""
    return lambda data, _: float(len(data.query(condition, engine="python")))


def largest(column: str) -> Worked:
    return lambda data, _: float(data[column].max())


def ratio_of(part: str, whole: str) -> Worked:
    return lambda data, _: float(data[part].sum() / data[whole].sum())


def share_where(condition: str, column: str, whole: str | None = None) -> Worked:
    """What the rows with a condition have of a column, of the whole column or as shares add up."""
    return lambda data, _: float(
        data.query(condition, engine="python")[column].sum() / (data[whole].sum() if whole else 1.0)
    )


def headline(_: pd.DataFrame, figures: Figures) -> float:
    """The like-for-like difference: of all ways of asking, the one of the primary method."""
    ways = figures["virtual_vs_in_person.ways"].data
    (chosen,) = ways.query("method == 'standardised' and measure == 'difference'")["estimate"]
    return float(chosen)


def crude_gap(data: pd.DataFrame, _: Figures) -> float:
    virtual, in_person = (data[f"events_{mode}"].sum() / data[f"n_{mode}"].sum() for mode in MODES)
    return float(virtual - in_person)


def mix_of_gap(data: pd.DataFrame, _: Figures) -> float:
    """Kitagawa's part of the composition, from the counts alone."""
    shares = [data[f"n_{mode}"] / data[f"n_{mode}"].sum() for mode in MODES]
    rates = [data[f"events_{mode}"] / data[f"n_{mode}"] for mode in MODES]
    return float(((shares[0] - shares[1]) * (rates[0] + rates[1]) / 2).sum())


def median_of(amount: str, mode: str) -> Worked:
    """The median of an amount, which stands among the amounts side by side."""

    def found(_: pd.DataFrame, figures: Figures) -> float:
        rows = figures["virtual_vs_in_person.effort"].data
        (middle,) = rows.query(f"amount == '{amount}' and measure == 'quantile_50'")[mode]
        return float(middle)

    return found


def changed_categories(data: pd.DataFrame, _: Figures) -> float:
    return float(data.query("adjusted_p < 0.05")["category"].nunique())


def seal_issues(data: pd.DataFrame, _: Figures) -> float:
    return float(1 - data.query("label == 'No issue'")["count"].iloc[0] / data["n"].iloc[0])


def as_uneven_by_chance(data: pd.DataFrame, _: Figures) -> float:
    """Chance of rates as uneven as these: Pearson's statistic of the counts against the time at risk."""
    expected = data["member_years"] / data["member_years"].sum() * data["events"].sum()
    # The rule for types that expect less than one incident: they are one type.
    kind = data["label"].where(expected >= 1, "few")
    seen, expected = (column.groupby(kind).sum() for column in (data["events"], expected))
    return float(stats.chi2.sf(((seen - expected) ** 2 / expected).sum(), len(seen) - 1))


def none_lost(_: pd.DataFrame, figures: Figures) -> float:
    """The first column of the histogram holds a minute too: whether any was lost is counted by platform."""
    platforms = figures["anomalies.minutes_lost"].data
    return float(1 - platforms["lost"].sum() / platforms["timed"].sum())


def every_validation(_: pd.DataFrame, figures: Figures) -> float:
    return float(figures["data.completeness"].data["n"].sum())


FROM_DATA: Mapping[str, tuple[Worked, ...]] = {
    "overview.months": (share_where("mode == 'virtual'", "n", "n"),),
    "virtual_vs_in_person.metrics": (
        count_of("verdict not in ('described', 'too_few', 'not_comparable')"),
        *(count_of(f"verdict == '{verdict}'") for verdict in ("cannot_tell", "better", "as_good")),
    ),
    "virtual_vs_in_person.mix": (crude_gap, headline, mix_of_gap),
    "virtual_vs_in_person.balance": (count_of("abs(before) > 0.1"),),
    "virtual_vs_in_person.categories": (count_of("adjusted_p < 0.05"),),
    "virtual_vs_in_person.criteria": (count_of("p_value.notna()"), count_of("q_value <= 0.05")),
    "virtual_vs_in_person.specifications": (count_of("low > -0.05"), count_of("low < 0 < high")),
    "virtual_vs_in_person.unmeasured": (count_of("column.notna()"), headline),
    # Everybody is a row of the picture, and the answer itself in the data.
    "virtual_vs_in_person.leave_out": (lambda data, _: float(len(data) + 1), headline),
    **{
        f"virtual_vs_in_person.{amount}": (median_of(amount, "virtual"), median_of(amount, "in_person"))
        for amount in ("hours", "days_to_report", "days_to_close")
    },
    "virtual_vs_in_person.sites": tuple(
        share_where(f"mode == '{mode}' and low > 1", "share") for mode in MODES
    ),
    "virtual_vs_in_person.minutes_lost": (none_lost,),
    "msc_deficiencies.criteria": (count_of("rank_high <= 10"),),
    "msc_deficiencies.trends": (changed_categories,),
    "msc_deficiencies.criteria_modes": (count_of("p_value.notna()"), count_of("q_value <= 0.05")),
    "msc_deficiencies.repeats": (total("count"), total("n"), ratio_of("count", "n")),
    "incidents.over_time": (largest("count"),),
    "incidents.causes": (largest("count"),),
    "incidents.seals": (seal_issues,),
    "incidents.rates": (as_uneven_by_chance,),
    "incidents.concentration": (largest("repeat"),),
    "maritime.routes": (largest("count"),),
    "maritime.terminals": (largest("count"),),
    "maritime.seals": (seal_issues, largest("count")),
    "maritime.analyses": (total("opened"), largest("median_days_to_close")),
    "feedback.themes": (total("n"),),
    "anomalies.months": (count_of("drawn"),),
    "anomalies.days": (count_of("drawn"),),
    "anomalies.validations": (every_validation,),
    "anomalies.minutes_lost": (ratio_of("lost", "timed"),),
    "data.checks": (count_of("count > 0"),),
    "data.completeness": (total("n"), count_of("n == 0")),
}


def known(name: str, figures: Figures) -> Known:
    """The raw numbers of a figure, the counts of its rows and kinds of row, and what `FROM_DATA` makes of them."""
    data = figures[name].data
    values: set[float] = set()
    counts = {float(len(data)), float(len(figures[name].table))}
    for column in data:
        numbers = pd.to_numeric(data[column], errors="coerce").dropna()
        if len(numbers) and not pd.api.types.is_bool_dtype(data[column]):
            values |= {float(value) for value in numbers.unique() if np.isfinite(value)}
        else:
            kinds = data[column].map(str)
            counts |= {float(kinds.nunique())}
    made = {work(data, figures) for work in FROM_DATA.get(name, ())}
    return Known(values | made, counts | made, 1000.0 if "per 1,000" in figures[name].alt else 100.0)


def without_names(made: Figure, words: str) -> str:
    """The words without what is a name and no result: cells with letters, codes of criteria, agreed phrases."""
    names = {str(cell) for frame in (made.data, made.table) for column in frame for cell in frame[column]}
    names = {
        name
        for name in names
        if re.search(r"\d", name) and re.match(r"[A-Za-z]|\d+\.\d+ [A-Z]", name) and len(name) < 90
    }
    if "criterion_id" in made.data:
        names |= set(made.data["criterion_id"])
    phrases = SAID_WITHOUT_DATA["*"] + SAID_WITHOUT_DATA.get(made.id, ())
    for name in sorted({*names, *phrases}, key=len, reverse=True):
        words = re.sub(rf"(?<![\w.,−+]){re.escape(name)}(?![\w%]|[.,]\d| points)", "·", words)
    return words


def not_found(made: Figure, figures: Figures) -> list[str]:
    """What title and text alternative tell that the data do not say."""
    words = f"{made.title} | {made.alt}"
    cells = {str(cell) for frame in (made.data, made.table) for column in frame for cell in frame[column]}
    held = {cell[:7] for cell in cells if re.match(r"\d{4}-\d\d", cell)}
    held |= {month_of(match) for cell in cells for match in MONTH.finditer(cell)}
    strange = [match[0] for match in MONTH.finditer(words) if month_of(match) not in held]
    words = without_names(made, MONTH.sub("·", words))
    numbers = known(made.id, figures)
    return strange + [number.text for number in told(words) if not number.is_found(numbers)]


def month_of(match: re.Match[str]) -> str:
    return f"{match[2]}-{MONTHS.index(match[1]) + 1:02d}"


@pytest.fixture(scope="module")
def figures(demo: Dataset) -> Figures:
    """Every figure, asked once."""
    return {name: figure(name, demo) for name in registry()}


def test_every_number_that_is_told_is_in_the_data(figures: Figures) -> None:
    findings = {name: found for name, made in figures.items() if (found := not_found(made, figures))}
    assert findings == {}


def test_it_takes_a_wrong_number_for_wrong(figures: Figures) -> None:
    made = figures["virtual_vs_in_person.ways"]
    assert not_found(made, figures) == []
    for right, wrong in (
        ("−11.6", "−11.7"),
        ("−11.6", "+11.6"),
        ("−2.3", "−3.3"),
        ("8 ways", "9 ways"),
        ("Five", "Six"),
    ):
        twisted = dataclasses.replace(
            made, title=made.title.replace(right, wrong), alt=made.alt.replace(right, wrong)
        )
        assert twisted != made and not_found(twisted, figures), (right, wrong)
    late = dataclasses.replace(figures["overview.months"], alt="Busiest: May 2024 with 209.")
    assert not_found(late, figures) == ["May 2024"]


def test_most_numbers_could_not_be_a_little_different(figures: Figures) -> None:
    """With thousands of raw numbers some neighbour is always there by accident; for most it is not."""
    tried = noticed = 0
    for name, made in figures.items():
        numbers = known(name, figures)
        for number in told(without_names(made, MONTH.sub("·", f"{made.title} | {made.alt}"))):
            for step in (-2, -1, 1, 2):
                other = dataclasses.replace(number, value=number.value + step * 10.0**-number.decimals)
                tried += 1
                noticed += not other.is_found(numbers)
    assert tried > 1_000 and noticed / tried > 0.85


@pytest.mark.parametrize("amount", ["hours", "days_to_report", "days_to_close"])
def test_a_median_that_is_told_lies_in_the_middle_of_its_columns(figures: Figures, amount: str) -> None:
    data = figures[f"virtual_vs_in_person.{amount}"].data
    for mode in MODES:
        columns = data[data["mode"] == mode]
        middle = columns[columns["share"].cumsum() >= 0.5].iloc[0]
        assert middle["low"] <= median_of(amount, mode)(data, figures) < middle["high"]


def test_no_text_alternative_stops_in_the_middle(figures: Figures) -> None:
    """It ends with a sentence, or with a whole clause and the sign that more is said on the page."""
    ends = {name: made.alt.removesuffix(" …") for name, made in figures.items()}
    cut = [name for name, end in ends.items() if end.endswith(("…", ",", ":", ";"))]
    open_brackets = [name for name, end in ends.items() if end.count("(") != end.count(")")]
    assert (cut, open_brackets) == ([], [])


def test_no_picture_tells_marks_apart_by_colour_alone(figures: Figures) -> None:
    """What is told by colour has an alternative too: shape, filling or dash."""
    drawn = {name: made.chart.to_dict() for name, made in figures.items() if made.chart is not None}
    assert len(drawn) > 40
    assert {name: found for name, spec in drawn.items() if (found := told_by_colour_alone(spec, LIGHT))} == {}
