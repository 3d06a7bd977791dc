"""Answers in plain words: effect, interval and n before anything else, and never a causal verb."""

from __future__ import annotations

from analysis import reasons, wording
from analysis.metrics import Metric
from analysis.results import Comparison, Estimate
from analysis.stats.equivalence import nuance

# {v} and {p} are the arms; {amount} the size of the difference; {less}, {fewer}, {lower} its direction.
_CLAIMS: dict[str, str] = {
    "any_must_deficiency": "{v} validations found a Must deficiency {amount} {less} often than {p} ones",
    "any_deficiency": "{v} validations found a deficiency {amount} {less} often than {p} ones",
    "critical_findings": "{v} validations had a critical finding {amount} {less} often than {p} ones",
    "deficiency_rate": "{v} validations recorded {amount} as many deficiencies per criterion assessed as {p} ones",
    "must_deficiency_rate": (
        "{v} validations recorded {amount} as many Must deficiencies per Must criterion assessed as {p} ones"
    ),
    "not_verified_rate": "{v} validations left {amount} {fewer} of the criteria unverified than {p} ones",
    "repeat_rate": "deficiencies first found on {v} validations were found again {amount} {less} often than others",
    "closed_on_time": "deficiencies from {v} validations were corrected on time {amount} {less} often than from {p} ones",
    "passed": "{v} validations passed without required action {amount} {less} often than {p} ones",
    "feedback_confidence": "{who} were confident in the result {amount} {less} often after {v} validations",
    "days_to_report": "reports of {v} validations took {amount} as long as of {p} ones",
    "days_to_close": "closing took {amount} as long after {v} validations as after {p} ones",
    "hours": "{v} validations took {amount} the hours of {p} ones",
    "incident_within_12_months": (
        "members had a first incident within 12 months {amount} {less} often after {v} validations"
    ),
}

_NOT_DECIDING = (
    "illustrative_margin", "moved_margin", "mode_filter_ignored", "focus_area_ignored", "few_clusters", "attenuation",
    "reversal", "sign_turned", "small_numbers", "model_refused", "not_robust",
    "low_power", "over_a_million", "mostly_unseen", "rarely_assessed",
)  # fmt: skip

_NO_LIKE_FOR_LIKE = (
    "no_counterpart", "too_few_clusters", "more_events_than_chances", "separated", "collinear", "model_too_large",
    "model_needs_clusters", "no_spread", "clusters_alike",
)  # fmt: skip
"""Gates where numbers are not too small, but cannot be compared like for like."""

MOST_WORDS = 45
"""No answer is longer."""

RATE_WITH_TWO = 0.1
"""Rates below this are written with two decimals, shares below one in a hundred."""

_WHO = {"specialist": "specialists", "member": "members"}


def comparison(answer: Comparison, metric: Metric) -> str:
    """The sentence a page opens with; ``**…**`` marks what to print bold."""
    if answer.verdict == "too_few":
        return _too_few(answer)
    if not answer.arms:
        return _ended(reasons.words(answer.reasons[0]))
    if len(metric.arms) == 1:
        return _one_arm(answer)
    row = answer.answer
    if answer.verdict == "not_comparable":
        crude = answer.estimate("crude")
        said = f" Unadjusted, {_claim(answer, crude)}." if crude and crude.interval else ""
        return f"**Not comparable**: {_lowered(reasons.words(_gate(answer)))}{said}"
    assert row is not None
    claim = _claim(answer, row)
    if metric.judged:
        claim = f"Like for like, {claim}"
    else:
        # Different findings stand behind the two modes: the mix is alike, what is compared is not.
        claim = f"On the same mix of members, {claim}"
    return f"{claim}{_tail(answer, row)}"


def verdict_reason(answer: Comparison) -> str:
    """One sentence for the verdict card: why this verdict, in terms of interval and margin."""
    row = answer.answer
    detection = answer.role == "detection" and answer.harmful == "lower"
    doubt = " Fewer findings can mean a better member or a check that sees less; these data alone do not separate the two."
    if answer.verdict in ("too_few", "not_comparable", "described") or row is None or row.interval is None:
        return _ended(reasons.words(_gate(answer)))
    margin = margin_words(answer)
    match answer.verdict:
        case "as_good":
            extra = {
                "or_better": f" The other end lies beyond it: as good {_or_better(answer)}.",
                "slightly_fewer": f" No difference ({_nothing(answer)}) is excluded: slightly {_less(answer)}, within the margin.",
                "slightly_more": f" No difference ({_nothing(answer)}) is excluded: slightly {_more(answer)}, within the margin.",
                None: "",
            }[_nuance(answer, row)]
            whole = (
                "The harmful end of the interval" if extra.startswith(" The other") else "The whole interval"
            )
            return f"{whole} lies within the {margin}.{extra}"
        case "finds_more":
            return f"The whole interval lies above no difference ({_nothing(answer)}): {arm_names(answer)[0]} records more, which is not bad news here."
        case "better":
            return "The whole interval lies on the better side of no difference."
        case "not_as_good":
            return f"The whole interval lies beyond the {margin}." + (doubt if detection else "")
    leaning = _leaning(answer, row)
    return (
        f"The interval reaches past the {margin}, so a difference that matters is not excluded.{leaning}"
        + (doubt if detection else "")
    )


def _leaning(answer: Comparison, row: Estimate) -> str:
    """What an open verdict leans to, where the interval excludes no difference on the harmful side."""
    if row.interval is None or answer.harmful not in ("lower", "higher"):
        return ""
    nothing = 1.0 if scale_of(answer) == "ratio" else 0.0
    worse = row.interval.high < nothing if answer.harmful == "lower" else row.interval.low > nothing
    return " No difference is excluded: it leans to not as good." if worse else ""


def _nothing(answer: Comparison) -> str:
    return "1.00" if scale_of(answer) == "ratio" else "0"


def _less(answer: Comparison) -> str:
    return "shorter" if answer.kind == "duration" else "fewer"


def _more(answer: Comparison) -> str:
    return "longer" if answer.kind == "duration" else "more"


def _or_better(answer: Comparison) -> str:
    return "or finding more" if answer.role == "detection" else "or better"


def verdict_settles(answer: Comparison) -> str:
    """One sentence for the verdict card: what would settle it, or where the margin comes from."""
    if answer.verdict == "cannot_tell":
        if answer.further_needed:
            about = wording.about(answer.further_needed)
            return f"About **{about} more** validations like these would settle it four times in five, if the estimate stayed."
        if "suppressed" in answer.reasons:
            # The number is hidden, not infinite.
            return ""
        return (
            "No realistic number of further validations would settle it while the estimate stays where it is."
        )
    if answer.margin_source == "illustrative" and answer.margin is not None:
        return "Against an illustrative margin: the program has not recorded its own."
    if answer.margin_source == "moved":
        return "Against a margin moved by the reader, not set beforehand."
    return ""


def margin_words(answer: Comparison, *, source: bool = True) -> str:
    """The margin with its kind: ``illustrative 5-point margin``, ``margin of 0.90``."""
    prefix = (
        {"illustrative": "illustrative ", "moved": "moved "}.get(answer.margin_source, "") if source else ""
    )
    if answer.margin is None:
        return "margin"
    if answer.margin_scale == "ratio":
        return f"{prefix}margin of {wording.ratio(answer.margin)}"
    return f"{prefix}{wording.margin_size(answer.margin)}-point margin"


def scale_of(answer: Comparison) -> str:
    """The scale on which the answer's own measure is written: as many decimals as its arms have.

    Shares under 1 % and rates under 10 % are written with two, so their difference is a ``small_difference``.
    """
    if answer.measure == "ratio":
        return "ratio"
    known = [arm.estimate for arm in answer.arms.values() if arm.estimate is not None]
    small = RATE_WITH_TWO if answer.kind == "rate" else 0.00995
    return "small_difference" if known and max(known) < small else "difference"


def arm_names(answer: Comparison) -> tuple[str, str]:
    """Names of the arms within a sentence: lower case unless they are stand-ins with names of their own."""
    names = tuple(
        answer.arms[mode].label if mode in answer.arms else mode for mode in ("virtual", "in_person")
    )
    plain = {"Virtual": "virtual", "In person": "in-person"}
    return plain.get(names[0], names[0]), plain.get(names[1], names[1])


def _claim(answer: Comparison, row: Estimate) -> str:
    value, scale = row.estimate, scale_of(answer)
    assert value is not None
    v, p = arm_names(answer)
    if scale == "ratio":
        amount = f"**{wording.ratio(value)} times**"
    else:
        amount = f"**{wording.amount(abs(value), scale).lstrip('+')} percentage points**"
    unit = " criteria" if answer.kind == "rate" and answer.metric != "closed_on_time" else ""
    words = {"less": "less", "fewer": "fewer"} if value < 0 else {"less": "more", "fewer": "more"}
    who = _WHO.get(answer.group.get("respondent", ""), "respondents")
    claim = _CLAIMS[answer.metric].format(v=v, p=p, amount=amount, who=who, **words)
    interval = wording.interval(row.interval, scale)
    return f"{claim} (95% interval {interval}; n = {wording.number(row.n)}{unit})"


def _tail(answer: Comparison, row: Estimate) -> str:
    margin = margin_words(answer)
    match answer.verdict:
        case "as_good":
            more = {
                "or_better": f"as good as in person, {_or_better(answer)}",
                "slightly_fewer": f"as good as in person (slightly {_less(answer)})",
                "slightly_more": f"as good as in person (slightly {_more(answer)})",
                None: "as good as in person",
            }[_nuance(answer, row)]
            return f": **{_arm_named(more, answer)}**, within the {margin}."
        case "finds_more":
            return ": **finds more**, which is not bad news here."
        case "better":
            return f": **better**, against the {margin}."
        case "not_as_good":
            can = "; this can mean fewer problems or fewer seen" if answer.role == "detection" else ""
            return f": **not as good**, beyond the {margin}{can}."
        case "cannot_tell":
            leaning = " either way" if _leaning(answer, row) else ""
            return f": **not yet enough** to {'say' + leaning if leaning else 'call it as good'} within the {margin}."
    return ": described, not judged."


def _arm_named(words: str, answer: Comparison) -> str:
    name = arm_names(answer)[1]
    return words if name == "in-person" else words.replace("in person", name)


def _nuance(answer: Comparison, row: Estimate) -> str | None:
    assert row.interval is not None
    return nuance(
        row.interval,
        harmful=answer.harmful,  # type: ignore[arg-type]
        margin=answer.margin,
        margin_scale=answer.margin_scale,  # type: ignore[arg-type]
    )


def _one_arm(answer: Comparison) -> str:
    (arm,) = answer.arms.values()
    who = _WHO.get(answer.group.get("respondent", ""), "respondents")
    if arm.estimate is None:
        return "No answers match these filters."
    interval = wording.interval(arm.interval, "share")
    return (
        f"**{wording.percent(arm.estimate, arm.n)}** of {who} would choose virtual again "
        f"(95% interval {interval}; n = {wording.number(arm.n)} answers): described, nothing to compare with."
    )


def _too_few(answer: Comparison) -> str:
    if "empty_selection" in answer.reasons:
        return reasons.words("empty_selection")
    names = arm_names(answer)
    counts = [
        f"{wording.number(arm.n)} {name}" for arm, name in zip(answer.arms.values(), names, strict=False)
    ]
    if _gate(answer) in ("geometric_needs_positive", "horizon_not_reached"):
        return f"**Not estimable**: {_lowered(reasons.words(_gate(answer)))}"
    if _gate(answer) in _NO_LIKE_FOR_LIKE:
        return _unadjusted(answer)
    if answer.kind == "rate":
        return "**Too few to compare**: " + _lowered(reasons.words(_gate(answer)))
    return f"**Too few to compare**: {wording.listed(counts)}. {reasons.words(_gate(answer))}"


def _unadjusted(answer: Comparison) -> str:
    """Enough was counted, but not like for like: why, and the unadjusted effect where both fit into one answer."""
    said = f"**No like-for-like answer**: {_lowered(reasons.words(_gate(answer)))}"
    crude = answer.estimate("crude")
    if crude is None or crude.interval is None:
        return said
    whole = f"{said} Unadjusted, {_claim(answer, crude)}."
    return whole if len(whole.split()) <= MOST_WORDS else said


def _gate(answer: Comparison) -> str:
    """The reason that decided: the first that is neither about the margin nor a mere caveat."""
    for code in answer.reasons:
        if code not in _NOT_DECIDING:
            return code
    return "described_only"


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."
