"""Figures of the page Virtual vs in person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, KeyEntry
from analysis.charts.forest import forest
from analysis.charts.glance import GlanceRow, glance_table
from analysis.charts.intervals import interval_rows
from analysis.charts.ruler import Ruler
from analysis.charts.theme import PaletteName
from analysis.charts.verdict import VERDICTS, ArmLine, VerdictCard, verdict_card
from analysis.figures.captions import caption, empty_state, left_out, state_of_comparison, when
from analysis.questions import sentences
from analysis.questions.comparison import PRIMARY, compare, compare_all, compare_categories
from analysis.questions.sentences import arm_names, margin_words, scale_of
from analysis.questions.window import MODES
from analysis.results import Arm, Comparison, Estimate, Measure
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

HEADLINE = "any_must_deficiency"

METHODS: dict[tuple[str, Measure], str] = {
    ("crude", "difference"): "Crude, whole selection",
    ("crude", "ratio"): "Crude, whole selection",
    ("mantel_haenszel", "difference"): "Stratified (Mantel–Haenszel)",
    ("mantel_haenszel", "ratio"): "Stratified (Mantel–Haenszel)",
    ("mantel_haenszel", "difference_sato"): "Stratified, specialists ignored",
}

_GROUP_WORDS = {"mode": "next one {}", "respondent": "{}s"}

_ROLES = {
    "detection": "What is found",
    "data": "What is found",
    "service": "Time and service",
    "safety": "Afterwards",
    "voice": "What people say",
}


def verdict(
    dataset: Dataset, selection: Selection, *, metric: str = HEADLINE, margin: float | None = None
) -> Figure:
    """The verdict card of one metric."""
    answer = compare(dataset, metric, selection, margin=margin)
    row = answer.answer
    scale = scale_of(answer)
    said = row is not None and row.interval is not None and answer.verdict != "too_few"
    v, p = arm_names(answer)
    card = VerdictCard(
        verdict=answer.verdict,
        heading=f"{answer.label} · {margin_words(answer)}" if answer.margin is not None else answer.label,
        reason=sentences.verdict_reason(answer),
        settle=sentences.verdict_settles(answer),
        measure=f"Adjusted {'ratio' if scale == 'ratio' else 'difference'}, {v} {'over' if scale == 'ratio' else 'minus'} {p}",
        value=_value(row, scale) if said else "",
        unit="times" if scale == "ratio" else "percentage points",
        interval=f"95% interval {wording.interval(row.interval, scale)}" if said and row else "",
        ruler=_ruler(answer) if said else None,
        ends=_ends(answer),
        zone=f"shaded: within {_margin_size(answer)}",
        arms=tuple(_arm_line(arm, answer) for arm in answer.arms.values()),
        words=_verdict_in_words(answer, p),
    )
    return Figure(
        id="virtual_vs_in_person.verdict",
        title="",
        caption=caption(
            "Counts: whole selection, unadjusted. Difference: adjusted for risk, kind and location, quarters with both modes",
            left_out(answer.left_out),
            when(dataset, selection),
        ),
        alt=_at_most(f"Verdict: {VERDICTS[answer.verdict].words}. {answer.sentence}"),
        html=verdict_card(card),
        data=answer.to_frame(),
    )


def metrics_at_a_glance(dataset: Dataset, selection: Selection) -> Figure:
    """Every metric: both arms, adjusted difference, verdict, course over the quarters."""
    answers = compare_all(dataset, selection)
    if all("empty_selection" in a.reasons or not a.arms for a in answers):
        return Figure(
            "virtual_vs_in_person.metrics", "All metrics at a glance", state=empty_state(dataset, selection)
        )
    order = list(dict.fromkeys(_ROLES.values()))
    answers = sorted(answers, key=lambda a: order.index(_ROLES[a.role]))
    rows = [_glance_row(a, dataset) for a in answers]
    v, p = dataset.modes["virtual"], dataset.modes["in_person"]
    data = pd.concat([a.to_frame().assign(metric=a.metric, verdict=a.verdict, **a.group) for a in answers])
    table = pd.DataFrame(
        [
            {
                "Metric": r.label, v: r.virtual, p: r.in_person, "Adjusted difference": r.difference,
                "95% interval": r.interval, "Verdict": VERDICTS[r.verdict].short, "n": r.n,
            }
            for r in rows
        ]
    )  # fmt: skip
    title, alt = _glance_in_words(answers)
    return Figure(
        id="virtual_vs_in_person.metrics",
        title=title,
        measure=(
            f"Each metric against its own margin, {arm_names(answers[0])[0] if answers[0].arms else v.lower()} minus "
            f"{arm_names(answers[0])[1] if answers[0].arms else p.lower()} (times for ratios), adjusted for risk, kind and location"
        ),
        caption=caption(
            "Circle and line: adjusted difference with 95% interval, in multiples of the margin; open diamond: crude. "
            "Shaded: within the margin. The picture puts the better side on the right; the numbers keep their sign",
            "Lines by quarter: solid first arm, dashed second",
            "Margins are illustrative until the program records its own" if _illustrative(answers) else "",
            when(dataset, selection),
        ),
        alt=alt,
        html=glance_table(rows, caption=title, arms=(v, p)),
        data=data,
        table=table,
    )


def ways_of_asking(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    margin: float | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """Crude and stratified side by side, against the margin."""
    answer = compare(dataset, metric, selection, margin=margin)
    scale = scale_of(answer)
    measure = f"{answer.label}: {_contrast(answer)}, {'times' if scale == 'ratio' else 'percentage points'}"
    if state := state_of_comparison(answer, dataset, selection):
        return Figure("virtual_vs_in_person.ways", "Several ways of asking", measure, state=state)
    shown = [r for r in answer.estimates if r.measure in (answer.measure, "difference_sato")]
    if answer.measure == "ratio":
        shown = [r for r in shown if r.measure == "ratio"]
    frame = pd.DataFrame([_way(row, answer, scale) for row in shown])
    title = _ways_title(answer, scale)
    alt = _at_most(f"Forest plot of {answer.label.lower()}. " + " ".join(f"{r.label}: {r.result}." for r in frame.itertuples()))
    unit = "ratio" if scale == "ratio" else "points"
    chart = forest(
        frame, alt_text=alt, title=_axis_title(answer, scale), unit=unit, margin=_band(answer), palette=palette
    )
    table = frame[["label", "result", "n_words", "said"]].rename(
        columns={"label": "Method", "result": "Estimate", "n_words": "n", "said": "To keep in mind"}
    )
    return Figure(
        id="virtual_vs_in_person.ways",
        title=title,
        measure=measure,
        caption=caption(
            "Lines: 95% intervals. Crude speaks of the whole selection, stratified of quarters in which both modes were in use",
            _clustering(answer),
            f"Shaded: {margin_words(answer)}" if answer.margin is not None else "",
            left_out(answer.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        data=answer.to_frame(),
        table=table,
    )


def groups(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    by: str = "field_office",
    palette: PaletteName = "light",
) -> Figure:
    """Both arms in each group, with the adjusted difference."""
    answer = compare(dataset, metric, selection, by=by)
    name = LABELS[by].lower()
    figure_id, measure = "virtual_vs_in_person.groups", f"{answer.label}, by {name}, like for like"
    if state := state_of_comparison(answer, dataset, selection):
        return Figure(figure_id, f"By {name}", measure, state=state)
    shown = [g for g in answer.groups if any(arm.n for arm in g.arms.values())]
    ordered = sorted(shown, key=lambda g: _effect_of(g))
    frame = _arm_rows(ordered, [dataset.label(by, g.group[by]) for g in ordered])
    drawn = frame.dropna(subset=["estimate", "low", "high"])
    if drawn.empty:
        return Figure(figure_id, f"By {name}", measure, state=empty_state(dataset, selection))
    title = _groups_title(ordered, dataset, by)
    first = ordered[0]
    alt = _at_most(f"{len(ordered)} rows of {answer.label.lower()} by {name}, both arms with intervals. {title}.")
    unit = "share" if answer.kind in ("proportion", "rate", "score", "survival") else "number"
    chart = interval_rows(
        frame, alt_text=alt, title=_arm_axis(answer), unit=unit, arms=dict(dataset.modes),
        tooltip={"words": "Like for like", "counts": "Recorded"}, palette=palette,
    )  # fmt: skip
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Marks: both arms on the same mix of risk, kind and location, with 95% intervals. At the right: their "
            f"{'ratio' if scale_of(first) == 'ratio' else 'difference in points'} with its interval; sorted by it",
            "Many groups, many looks: a single interval off zero is a reason to look, not a finding",
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=_key(dataset),
        data=pd.concat([g.to_frame().assign(**g.group, verdict=g.verdict) for g in answer.groups]),
        table=_group_table(ordered, dataset, by),
    )


def categories(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Validations with a deficiency in each category, virtual against in person."""
    family = compare_categories(dataset, selection)
    figure_id, measure = "virtual_vs_in_person.categories", "Validations with at least one deficiency in the category, like for like"
    pairs = [(a, q) for a, q in zip(family.comparisons, family.adjusted_p, strict=True) if any(arm.n for arm in a.arms.values())]
    if not pairs:
        return Figure(figure_id, "By category", measure, state=empty_state(dataset, selection))
    pairs.sort(key=lambda pair: _effect_of(pair[0]))
    ordered, adjusted = [a for a, _ in pairs], [q for _, q in pairs]
    differs = [q is not None and q < 0.05 and a.verdict != "not_comparable" for a, q in pairs]
    frame = _arm_rows(ordered, [a.label for a in ordered], differs, adjusted)
    names = [a.label for a, d in zip(ordered, differs, strict=True) if d]
    count = len(ordered)
    if names:
        verb = "differs" if len(names) == 1 else "differ"
        title = f"{len(names)} of {count} categories {verb}: {wording.listed(names[:4])}{'…' if len(names) > 4 else ''}"
    else:
        title = f"None of {count} categories differs after allowing for {count} looks"
    alt = _at_most(f"{count} rows of validations with a deficiency by category, both arms with intervals. {title}.")
    chart = interval_rows(
        frame, alt_text=alt, title="Validations with a deficiency in the category, %", unit="share",
        arms=dict(dataset.modes), tooltip={"words": "Like for like", "counts": "Recorded"}, palette=palette,
    )  # fmt: skip
    table = _group_table(ordered, dataset, "category")
    table["p, Holm"] = [wording.p_value(q).removeprefix("p ").removeprefix("= ") for q in adjusted]
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Bold, “Differs”: holds after Holm's correction for {count} categories. At the right: difference in points. "
            "Marks: both arms on the same mix of risk, kind and location, with 95% intervals",
            "A category can differ because fewer problems were there or fewer were seen",
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=_key(dataset),
        data=family.to_frame(),
        table=table,
    )


# -- words and numbers shared by the figures -----------------------------------------------------------


def _value(row: Estimate | None, scale: str) -> str:
    return wording.amount(row.estimate if row else None, scale)


def _arm_value(arm: Arm, answer: Comparison) -> str:
    if arm.estimate is None:
        return wording.NOT_ESTIMABLE
    if answer.kind == "rate":
        return f"{wording.number(arm.estimate * 100, 2)}%" if arm.estimate < 0.1 else wording.percent(arm.estimate)
    if answer.kind == "duration":
        scale = _arm_scale(answer)
        return f"{wording.amount(arm.estimate, scale)} {'h' if scale == 'hours' else scale}"
    return wording.percent(arm.estimate, arm.n)


def _arm_scale(answer: Comparison) -> str:
    if answer.kind == "duration":
        return "hours" if answer.metric == "hours" else "days"
    return "share"


def _arm_counts(arm: Arm) -> str:
    if arm.events is None:
        return f"n = {wording.number(arm.n)}"
    return f"{wording.number(arm.events)} of {wording.number(arm.n)}"


def _arm_line(arm: Arm, answer: Comparison) -> ArmLine:
    return ArmLine(arm.mode, arm.label, _arm_value(arm, answer), _arm_counts(arm))


def _ruler(answer: Comparison) -> Ruler | None:
    """Nothing to draw without a margin, or with one of no width (any increase is worse)."""
    row, crude = answer.answer, answer.estimate("crude")
    nothing = 1.0 if answer.margin_scale == "ratio" else 0.0
    if row is None or row.interval is None or row.estimate is None or answer.margin in (None, nothing):
        return None
    assert answer.margin is not None
    return Ruler(
        estimate=row.estimate,
        low=row.interval.low,
        high=row.interval.high,
        margin=answer.margin,
        scale="ratio" if answer.margin_scale == "ratio" else "difference",
        harmful=answer.harmful,
        crude=crude.estimate if crude else None,
    )


def _ends(answer: Comparison) -> tuple[str, str]:
    if answer.role == "detection" and answer.harmful == "lower":
        return ("finds fewer", "finds more")
    return ("lower", "higher") if answer.harmful in ("two_sided", "none") else ("worse", "better")


def _margin_size(answer: Comparison) -> str:
    if answer.margin is None:
        return "no margin"
    if answer.margin_scale == "ratio":
        low, high = sorted((answer.margin, 1 / answer.margin))
        return f"{wording.ratio(low)} to {wording.ratio(high)}"
    return f"±{wording.number(answer.margin * 100, 0 if answer.margin >= 0.01 else 1)} points"


def _verdict_in_words(answer: Comparison, in_person: str) -> str:
    words = VERDICTS[answer.verdict].words
    return words if in_person == "in-person" else words.replace("in person", in_person)


def _glance_row(answer: Comparison, dataset: Dataset) -> GlanceRow:
    row, scale = answer.answer, scale_of(answer)
    label = answer.label
    if answer.group:
        ((column, value),) = answer.group.items()
        label = f"{label}: {_GROUP_WORDS[column].format(dataset.label(column, value).lower())}"
    unit = "times" if scale == "ratio" else "points"
    second = f"{unit} · margin {_margin_number(answer)}" if answer.margin is not None else unit
    said = row is not None and row.interval is not None
    arms = {mode: _arm_value(arm, answer) for mode, arm in answer.arms.items()}
    n = sum(arm.n for arm in answer.arms.values())
    if row is not None and row.n:
        n = row.n
    note = "" if said else reasons.words(answer.reasons[0]) if answer.reasons else ""
    return GlanceRow(
        group=_ROLES[answer.role],
        label=label,
        unit=second if answer.arms and len(answer.arms) == 2 else "",
        virtual=arms.get("virtual", ""),
        in_person=arms.get("in_person", ""),
        difference=_value(row, scale) if said else "",
        interval=wording.interval(row.interval, scale) if said and row else "",
        verdict=answer.verdict,
        n=wording.number(n) if n else "",
        ruler=_ruler(answer),
        virtual_series=answer.series.get("virtual", ()),
        in_person_series=answer.series.get("in_person", ()),
        note=note,
    )


def _margin_number(answer: Comparison) -> str:
    assert answer.margin is not None
    if answer.margin_scale == "ratio":
        return wording.ratio(answer.margin)
    return wording.number(answer.margin * 100, 0 if answer.margin >= 0.01 else 1)


def _glance_in_words(answers: list[Comparison]) -> tuple[str, str]:
    """The finding over all metrics: how many of those judged fall under each verdict."""
    judged = [a for a in answers if a.verdict in ("as_good", "better", "finds_more", "not_as_good", "cannot_tell")]
    counts: dict[str, int] = {}
    for a in judged:
        counts[VERDICTS[a.verdict].short.lower()] = counts.get(VERDICTS[a.verdict].short.lower(), 0) + 1
    if not judged:
        return "No metric can be judged here", "Table of all metrics; none can be judged on this selection."
    parts = [f"{n} {words}" for words, n in sorted(counts.items(), key=lambda item: -item[1])]
    title = f"{len(judged)} metrics judged: {wording.listed(parts)}"
    return title, _at_most(f"Table of {len(answers)} metrics with both arms, adjusted difference and verdict. {title}.")


def _illustrative(answers: list[Comparison]) -> bool:
    return any(a.margin_source == "illustrative" and a.margin is not None for a in answers)


def _contrast(answer: Comparison) -> str:
    v, p = arm_names(answer)
    return f"{v} {'over' if scale_of(answer) == 'ratio' else 'minus'} {p}"


def _axis_title(answer: Comparison, scale: str) -> str:
    text = _contrast(answer)
    return f"{text[0].upper()}{text[1:]}, {'times' if scale == 'ratio' else 'percentage points'}"


def _arm_axis(answer: Comparison) -> str:
    unit = {"rate": "per 100 criteria", "duration": "hours" if answer.metric == "hours" else "days"}.get(answer.kind, "%")
    return f"{answer.label}, {unit}" if unit != "per 100 criteria" else answer.label


def _band(answer: Comparison) -> tuple[float, float] | None:
    if answer.margin is None:
        return None
    if answer.margin_scale == "ratio":
        return min(answer.margin, 1 / answer.margin), max(answer.margin, 1 / answer.margin)
    return -answer.margin, answer.margin


def _way(row: Estimate, answer: Comparison, scale: str) -> dict[str, object]:
    role = "primary" if row.method == PRIMARY and row.measure == answer.measure else "alternative"
    if row.method == "crude":
        role = "crude"
    estimable = row.interval is not None
    words = f"{_value(row, scale)} {wording.interval(row.interval, scale, compact=True)}" if estimable else "not estimable"
    label = METHODS[(row.method, row.measure)]
    unit = "criterion" if answer.kind == "rate" else "validation"
    counted = wording.counted(row.n, unit, "criteria" if unit == "criterion" else None)
    return {
        "label": label,
        "role": role,
        "estimate": row.estimate if estimable else None,
        "low": row.interval.low if row.interval else None,
        "high": row.interval.high if row.interval else None,
        "result": words,
        "n_words": counted,
        "said": " ".join(reasons.words(code) for code in row.caveats),
        "description": f"{label}: {words}, n = {counted}",
    }


def _ways_title(answer: Comparison, scale: str) -> str:
    crude, adjusted = answer.estimate("crude"), answer.answer
    if crude is None or crude.interval is None:
        return "Several ways of asking"
    if adjusted is None or adjusted.interval is None:
        return f"Crude {_value(crude, scale)}; no like-for-like answer"
    unit = "times" if scale == "ratio" else "points"
    title = f"{_value(crude, scale)} {unit} crude, {_value(adjusted, scale)} like for like"
    if "reversal" in answer.reasons:
        return f"{title}: adjusting reverses the sign (Simpson's paradox)"
    return f"{title}: most of the gap is who was validated how" if "attenuation" in answer.reasons else title


def _clustering(answer: Comparison) -> str:
    row = answer.answer
    if row is None or answer.kind in ("duration", "survival"):
        return ""
    clusters = row.settings.get("clusters")
    return f"Errors clustered by specialist ({clusters})" if clusters else "Validations treated as independent"


def _effect_of(answer: Comparison) -> float:
    row = answer.answer
    if row is None or row.estimate is None:
        return float("inf")
    return row.estimate


def _arm_rows(
    answers: list[Comparison],
    labels: list[str],
    differs: list[bool] | None = None,
    adjusted: list[float | None] | None = None,
) -> pd.DataFrame:
    rows = []
    for i, (answer, label) in enumerate(zip(answers, labels, strict=True)):
        row, scale = answer.answer, scale_of(answer)
        if answer.verdict == "too_few" or row is None or row.interval is None:
            result = "too few"
        elif answer.verdict == "not_comparable":
            result = "not comparable"
        elif adjusted is not None:
            said = f"{_value(row, scale)} points, {wording.p_value(adjusted[i])}"
            result = f"Differs: {said}" if differs and differs[i] else said
        else:
            result = f"{_value(row, scale)} {wording.interval(row.interval, scale, compact=True)}"
        for mode, recorded in answer.arms.items():
            arm = answer.adjusted_arms.get(mode, recorded)
            shown = arm.interval is not None and result != "too few"
            value = _arm_value(arm, answer)
            rows.append(
                {
                    "label": label,
                    "arm": mode,
                    "estimate": arm.estimate if shown else None,
                    "low": arm.interval.low if shown and arm.interval else None,
                    "high": arm.interval.high if shown and arm.interval else None,
                    "result": result,
                    "strong": bool(differs and differs[i]),
                    "words": f"{value} ({wording.interval(arm.interval, _arm_scale(answer))})" if shown else value,
                    "counts": f"{_arm_counts(recorded)} ({_arm_value(recorded, answer)})",
                    "description": f"{label}, {arm.label}: {value}; recorded {_arm_counts(recorded)}",
                }
            )
    return pd.DataFrame(rows)


def _groups_title(answers: list[Comparison], dataset: Dataset, by: str) -> str:
    """The span of adjusted differences over groups that can be estimated."""
    known = [a for a in answers if a.answer and a.answer.interval and a.verdict not in ("too_few", "not_comparable")]
    name = LABELS[by].lower()
    if len(known) < 2:
        return f"By {name}: too few groups can be compared"
    low, high = known[0], known[-1]
    scale = scale_of(low)
    ends = [f"{_value(a.answer, scale)} in {dataset.label(by, a.group[by])}" for a in (low, high)]
    overlap = low.answer.interval.high >= high.answer.interval.low  # type: ignore[union-attr]
    return f"From {ends[0]} to {ends[1]}; their intervals {'overlap' if overlap else 'do not overlap'}"


def _group_table(answers: list[Comparison], dataset: Dataset, by: str) -> pd.DataFrame:
    rows = []
    for answer in answers:
        row, scale = answer.answer, scale_of(answer)
        estimable = row is not None and row.interval is not None
        cells = {LABELS[by]: dataset.label(by, answer.group[by])}
        for mode, arm in answer.arms.items():
            cells[dataset.modes[mode]] = f"{_arm_value(arm, answer)} ({_arm_counts(arm)})"
        cells["Adjusted difference" if scale != "ratio" else "Adjusted ratio"] = _value(row, scale) if estimable else "–"
        cells["95% interval"] = wording.interval(row.interval, scale) if estimable and row else "–"
        if by != "category":
            cells["Verdict"] = VERDICTS[answer.verdict].short
        rows.append(cells)
    return pd.DataFrame(rows)


def _key(dataset: Dataset) -> tuple[KeyEntry, ...]:
    return (KeyEntry("virtual", dataset.modes["virtual"]), KeyEntry("in_person", dataset.modes["in_person"]))


def _at_most(words: str, most: int = 40) -> str:
    parts = words.replace("**", "").split()
    return " ".join(parts) if len(parts) <= most else " ".join(parts[: most - 1]) + " …"
