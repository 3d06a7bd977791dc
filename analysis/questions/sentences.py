"""Answers in plain words: effect, interval and n before anything else, and never a causal verb."""

from __future__ import annotations

from analysis import reasons, wording
from analysis.metrics import Metric
from analysis.questions.claims import RATE_WITH_TWO as RATE_WITH_TWO
from analysis.questions.claims import arm_names as arm_names
from analysis.questions.claims import claim, direction, respondents
from analysis.questions.claims import scale_of as scale_of
from analysis.results import Arm, Comparison, Estimate
from analysis.stats.equivalence import nuance

_NOT_DECIDING = (
    "illustrative_margin", "moved_margin", "mode_filter_ignored", "focus_area_ignored", "few_clusters", "attenuation",
    "reversal", "sign_turned", "small_numbers", "model_refused", "not_robust",
    "low_power", "over_a_million", "mostly_unseen", "rarely_assessed",
)  # fmt: skip

_NO_LIKE_FOR_LIKE = (
    "no_comparison_window", "no_counterpart", "thin_overlap", "too_few_clusters", "more_events_than_chances", "separated",
    "collinear", "model_too_large", "model_needs_clusters", "no_spread", "clusters_alike",
)  # fmt: skip
"""Gates where numbers are not too small, but cannot be compared like for like."""

MOST_WORDS = 45
"""No answer is longer."""


def comparison(answer: Comparison, metric: Metric) -> str:
    """The sentence a page opens with; ``**…**`` marks what to print bold."""
    if answer.verdict == "too_few":
        return _too_few(answer)
    if not answer.arms:
        return f"**{answer.label}**: {_lowered(_ended(reasons.words(answer.reasons[0])))}"
    if len(metric.arms) == 1:
        return _one_arm(answer)
    if answer.verdict == "not_comparable":
        return _unadjusted(answer, "Not comparable")
    row = answer.answer
    assert row is not None
    # Else different findings stand behind the two modes: the mix is alike, what is compared is not.
    alike = "Like for like" if metric.judged else "On the same mix of members"
    said = f"{alike}, {claim(answer, row)}"
    whole = f"{said}{_tail(answer, row)}"
    # Arms with long names of their own leave less room.
    return whole if len(whole.split()) <= MOST_WORDS else f"{said}{_short_tail(answer)}"


def verdict_reason(answer: Comparison) -> str:
    """One sentence for the verdict card: why this verdict, in terms of interval and margin."""
    row = answer.answer
    detection = answer.role == "detection" and answer.harmful == "lower"
    fewer = " Fewer findings can mean a better member or a check that sees less; these data alone do not separate the two."
    doubt = fewer if detection else ""
    if answer.verdict in ("too_few", "not_comparable", "described") or row is None or row.interval is None:
        return _ended(reasons.words(_gate(answer)))
    margin = margin_words(answer)
    match answer.verdict:
        case "as_good":
            match _nuance(answer, row):
                case "or_better":
                    return (
                        f"The harmful end of the interval lies within the {margin}, the other end beyond it: "
                        f"as good {_or_better(answer)}."
                    )
                case "slightly_fewer" | "slightly_more" as which:
                    differs = f"{_slightly(answer)}{direction(answer, more=which == 'slightly_more')}"
                    extra = (
                        f" It leaves out no difference ({_nothing(answer)}): {differs}, within the margin."
                    )
                case None:
                    extra = ""
            return f"The whole interval lies within the {margin}.{extra}"
        case "finds_more":
            return (
                f"The whole interval lies {_better_side(answer)}: {arm_names(answer)[0]} records more. "
                "More findings can mean a member with more to find or a check that sees more."
            )
        case "better":
            return f"The whole interval lies on the better side of no difference, {_better_side(answer)}."
        case "not_as_good":
            return f"The whole interval lies beyond the {margin}.{doubt}"
    return (
        f"The interval reaches past the {margin}, so a difference that matters remains possible."
        f"{_leaning(answer, row)}{doubt}"
    )


def _leaning(answer: Comparison, row: Estimate) -> str:
    """What an open verdict leans to, where the interval leaves out no difference on the harmful side."""
    if row.interval is None or answer.harmful not in ("lower", "higher"):
        return ""
    nothing = 1.0 if scale_of(answer) == "ratio" else 0.0
    worse = row.interval.high < nothing if answer.harmful == "lower" else row.interval.low > nothing
    return f" It leaves out no difference ({_nothing(answer)}) and leans to not as good." if worse else ""


def _nothing(answer: Comparison) -> str:
    return "1.00" if scale_of(answer) == "ratio" else "0"


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


def _tail(answer: Comparison, row: Estimate) -> str:
    margin = margin_words(answer)
    match answer.verdict:
        case "as_good":
            good = _arm_named("**as good as in person**", answer)
            match _nuance(answer, row):
                case "or_better":
                    # Only the harmful end is inside, so "within the margin" would say too much.
                    return f": {good[:-2]}, {_or_better(answer)}**, at worst within the {margin}."
                case "slightly_fewer" | "slightly_more" as which:
                    good += f" ({_slightly(answer)}{direction(answer, more=which == 'slightly_more')})"
            return f": {good}, within the {margin}."
        case "finds_more" | "better" as which:
            words = which.replace("_", " ")
            return f": **{words}**, with the whole interval {_better_side(answer)} ({margin})."
        case "not_as_good":
            can = "; this can mean fewer problems or fewer seen" if answer.role == "detection" else ""
            return f": **not as good**, beyond the {margin}{can}."
        case "cannot_tell":
            return f": **not yet enough** {_open_question(answer, row)}."
    if "beyond_two_sided" in answer.reasons:
        return f": **differs by more than the {margin}**; described, as neither direction is bad."
    if answer.margin is None:
        return ": described only, as no margin is set."
    return f": described, not judged against the {margin}."


def _slightly(answer: Comparison) -> str:
    """What lies within a margin set beforehand is slight; a reader can move one as far as they like."""
    return "" if answer.margin_source == "moved" else "slightly "


def _short_tail(answer: Comparison) -> str:
    words = {"as_good": "as good as in person", "cannot_tell": "not yet enough"}
    verdict = _arm_named(words.get(answer.verdict, answer.verdict.replace("_", " ")), answer)
    return f": **{verdict}** ({margin_words(answer)})." if answer.margin is not None else f": **{verdict}**."


def _better_side(answer: Comparison) -> str:
    return f"{'below' if answer.harmful == 'higher' else 'above'} {_nothing(answer)}"


def _open_question(answer: Comparison, row: Estimate) -> str:
    """What an open verdict leaves open: whether there is a difference, or whether it is one that matters."""
    margin, bounds = margin_words(answer), row.interval
    assert bounds is not None
    nothing = 1.0 if answer.measure == "ratio" else 0.0
    if answer.margin == nothing:
        return f"to say whether {direction(answer, more=False)} or {direction(answer, more=True)} ({margin})"
    if not bounds.contains(nothing):
        return f"to say whether that is beyond the {margin}"
    return f"to call it as good within the {margin}"


def _arm_named(words: str, answer: Comparison) -> str:
    name = arm_names(answer)[1]
    return words if name == "in-person" else words.replace("in person", name)


def _nuance(answer: Comparison, row: Estimate) -> str | None:
    assert row.interval is not None
    return nuance(
        row.interval,
        harmful=answer.harmful,  # type: ignore[arg-type]  # a text that is one of the literals
        margin=answer.margin,
        margin_scale=answer.margin_scale,  # type: ignore[arg-type]  # a text that is one of the literals
    )


def _one_arm(answer: Comparison) -> str:
    (arm,) = answer.arms.values()
    who = respondents(answer)
    if arm.estimate is None:
        return "No answers match these filters."
    assert arm.interval is not None
    interval = " to ".join(wording.percent(end, arm.n) for end in (arm.interval.low, arm.interval.high))
    return (
        f"**{wording.percent(arm.estimate, arm.n)}** of {who} would choose virtual again "
        f"(95% interval {interval}; n = {wording.number(arm.n)} answers): described, nothing to compare with."
    )


def _too_few(answer: Comparison) -> str:
    gate = _gate(answer)
    if "empty_selection" in answer.reasons:
        return reasons.words("empty_selection")
    if gate == "nothing_to_count":
        return f"**Nothing to compare**: {_lowered(reasons.words(gate))}"
    if gate in ("geometric_needs_positive", "horizon_not_reached"):
        return f"**Not estimable**: {_lowered(reasons.words(gate))}"
    if gate in _NO_LIKE_FOR_LIKE:
        return _unadjusted(answer, "No like-for-like answer")
    counts = [
        f"{_counts(arm, gate)} {name}"
        for arm, name in zip(answer.arms.values(), arm_names(answer), strict=False)
    ]
    return f"**Too few to compare**: {wording.listed(counts)}. {reasons.words(gate)}"


def _counts(arm: Arm, gate: str) -> str:
    """How many stand behind an arm; with their events where those are too few."""
    if gate == "too_few_events" and arm.events is not None:
        return f"{wording.number(arm.events)} of {wording.number(arm.n)}"
    return wording.number(arm.n if arm.validations is None else arm.validations)


def _unadjusted(answer: Comparison, head: str) -> str:
    """Not like for like, and why; with the unadjusted effect where both fit into one answer."""
    said = f"**{head}.** {reasons.words(_gate(answer))}"
    crude = answer.estimate("crude")
    if crude is None or crude.interval is None:
        return said
    whole = f"{said} Unadjusted, {claim(answer, crude)}."
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
