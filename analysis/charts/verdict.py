"""The verdict: glyph, words and tone, alone in a table cell or as the card that opens the comparison."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.charts.markup import element, emphasised, mark, text
from analysis.charts.ruler import Ruler, ruler_bar
from analysis.results import Verdict


@dataclass(frozen=True, slots=True)
class Wording:
    """How a verdict is shown: a glyph, a tone (``good``, ``bad``, ``unsure``), words long and short."""

    glyph: str
    tone: str
    words: str
    short: str


VERDICTS: dict[Verdict, Wording] = {
    "as_good": Wording("=", "good", "As good as in person", "As good"),
    "finds_more": Wording("↑", "good", "Finds more", "Finds more"),
    "better": Wording("↑", "good", "Better", "Better"),
    "not_as_good": Wording("↓", "bad", "Not as good", "Not as good"),
    "cannot_tell": Wording("?", "unsure", "Can’t tell yet", "Can’t tell yet"),
    "too_few": Wording("·", "unsure", "Too few to compare", "Too few"),
    "not_comparable": Wording("·", "unsure", "Not comparable", "Not comparable"),
    "described": Wording("·", "unsure", "Described, not judged", "Described"),
}


@dataclass(frozen=True, slots=True)
class ArmLine:
    """One arm in the card: `role` (``virtual`` or ``in_person``) chooses the mark."""

    role: str
    label: str
    value: str
    counts: str = ""


@dataclass(frozen=True, slots=True)
class VerdictCard:
    """What the card says. `reason` and `settle` may carry ``**bold**``; every other text is plain.

    Parameters
    ----------
    verdict : Verdict
    heading : str
        Metric and margin, e.g. "Validations with a Must deficiency · illustrative margin: 5 points fewer".
    reason : str
        One sentence: why this verdict.
    settle : str
        One sentence: what would settle it, or what to keep in mind.
    measure : str
        Over the number, e.g. "Adjusted difference, virtual minus in person".
    value, unit, interval : str
        The big number, its unit, the interval in words.
    ruler : Ruler or None
    ends : (str, str)
        Words at the left and right end of the ruler.
    zone : str
        Words under the middle, e.g. "shaded: within ±5 points".
    arms : tuple of ArmLine
    words : str
        Replaces the verdict's own words where the arms have other names.
    """

    verdict: Verdict
    heading: str
    reason: str
    settle: str = ""
    measure: str = ""
    value: str = ""
    unit: str = ""
    interval: str = ""
    ruler: Ruler | None = None
    ends: tuple[str, str] = ("finds fewer", "finds more")
    zone: str = ""
    arms: tuple[ArmLine, ...] = ()
    words: str = ""


def verdict_words(verdict: Verdict) -> str:
    """Glyph and short words for a table cell, in the verdict's tone.

    >>> verdict_words("better")
    '<span class="verdict good"><span class="glyph" aria-hidden="true">↑</span> Better</span>'
    """
    shown = VERDICTS[verdict]
    glyph = element("span", text(shown.glyph), class_="glyph", aria_hidden="true")
    return element("span", f"{glyph} {text(shown.short)}", class_=f"verdict {shown.tone}")


def verdict_card(card: VerdictCard) -> str:
    """The card: verdict and reason at the left; number, interval, ruler and arms at the right."""
    shown = VERDICTS[card.verdict]
    glyph = element("span", text(shown.glyph), class_="disc", aria_hidden="true")
    left = [
        element("p", text(card.heading), class_="quiet"),
        # A paragraph, not a heading: the card stands inside a figure that has its own heading.
        element("p", f"{glyph}{element('span', text(card.words or shown.words))}", class_="verdict-words"),
        element("p", emphasised(card.reason), class_="reason"),
    ]
    if card.settle:
        left.append(element("p", emphasised(card.settle), class_="quiet"))
    right = _number(card) + _ruler(card) + _arms(card)
    sides = element("div", "".join(left))
    if right:
        sides += element("div", right)
    return element("div", sides, class_=f"verdict-card {shown.tone}")


def _number(card: VerdictCard) -> str:
    if not card.value:
        return ""
    number = (
        element("span", text(card.value), class_="big")
        + " "
        + element("span", text(card.unit), class_="quiet")
    )
    lines = [element("p", text(card.measure), class_="quiet"), element("p", number, class_="number-line")]
    if card.interval:
        lines.append(element("p", text(card.interval), class_="quiet"))
    return "".join(lines)


def _ruler(card: VerdictCard) -> str:
    if card.ruler is None:
        return ""
    words = (f"◂ {card.ends[0]}", card.zone, f"{card.ends[1]} ▸")
    ends = "".join(element("span", text(word)) for word in words)
    return ruler_bar(card.ruler) + element("p", ends, class_="ruler-ends")


def _arms(card: VerdictCard) -> str:
    lines = [
        element(
            "div",
            element("dt", mark(arm.role) + text(arm.label))
            + element("dd", element("strong", text(arm.value)))
            + element("dd", text(arm.counts), class_="quiet"),
        )
        for arm in card.arms
    ]
    return element("dl", "".join(lines), class_="arms") if lines else ""
