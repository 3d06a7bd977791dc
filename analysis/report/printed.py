"""What every format prints beside a figure: its caption line, the table of its numbers, what changed, the sources."""

from __future__ import annotations

import pandas as pd

from analysis import wording
from analysis.charts.figure import Figure
from analysis.charts.verdict import VERDICTS, VerdictCard
from analysis.report.changes import Change
from analysis.report.content import Content, Sheet


def plain(words: str) -> str:
    """Words without the marks of bold."""
    return words.replace("**", "")


def caption_of(sheet: Sheet) -> str:
    """The caption of a figure, with its own selection where that differs from the briefing's."""
    return " ".join(
        part
        for part in (plain(sheet.figure.caption), sheet.selection and f"Selection: {sheet.selection}.")
        if part
    )


def remarks(content: Content) -> tuple[str, ...]:
    """What stands under the title: that the data are others, and what could not be made."""
    return tuple(words for words in (content.changed, *content.problems) if words)


def verdict_words(card: VerdictCard | None) -> dict[str, str] | None:
    """A verdict in words, with its tone (``good``, ``bad``, ``unsure``)."""
    if card is None:
        return None
    shown = VERDICTS[card.verdict]
    return {
        "tone": shown.tone, "words": card.words or shown.words, "reason": plain(card.reason), "settle": plain(card.settle)
    }  # fmt: skip


def cells(frame: pd.DataFrame) -> list[list[str]]:
    """A table as rows of text, its head first."""
    return [[str(name) for name in frame.columns], *([str(v) for v in row] for row in frame.to_numpy())]


def table_of(made: Figure) -> pd.DataFrame:
    """The numbers of a figure as a person reads them; a verdict's card as rows."""
    if not made.table.empty or made.card is None:
        return made.table
    card = made.card
    rows = [("Verdict", card.words or VERDICTS[card.verdict].words)]
    if card.value:
        rows += [(card.measure, f"{card.value} {card.unit}"), ("Interval", card.interval)]
    rows += [(arm.label, f"{arm.value} ({arm.counts})" if arm.counts else arm.value) for arm in card.arms]
    rows += [("Judged against", card.heading)]
    return pd.DataFrame(rows, columns=["What", "Value"])


def changes_table(content: Content) -> pd.DataFrame:
    """Every number that moved since the briefing was saved, by figure."""
    rows = [
        {
            "Figure": sheet.title,
            "Number": change.label,
            "Then": _amount(change.before),
            "Now": _amount(change.now),
            "Change": change_words(change),
        }
        for sheet in content.sheets
        for change in sheet.changes
    ]
    return pd.DataFrame(rows, columns=["Figure", "Number", "Then", "Now", "Change"])


def change_words(change: Change) -> str:
    """One change in words."""
    if change.before is None:
        return "new"
    if change.now is None:
        return "no longer there"
    moved = _amount(change.now - change.before, signed=True)
    if change.beyond_noise is None:
        return moved
    return f"{moved}, {'beyond' if change.beyond_noise else 'within'} noise"


def sources(content: Content) -> list[tuple[str, str]]:
    """Where the numbers come from: what a reader needs to make them again."""
    briefing = content.briefing
    return [
        ("Data", f"{content.dataset}{' – SYNTHETIC, not real data' if content.synthetic else ''}"),
        ("Selection", content.scope),
        ("Fingerprint of the data", content.fingerprint),
        ("Small counts", "Counts of 1 to 4 are hidden" if briefing.suppress else "Shown: not for passing on"),
        ("Figures", wording.listed([sheet.entry.figure for sheet in content.sheets])),
        ("Made again by", "python -m analysis brief DATASET BRIEFING.toml --to FILE"),
    ]


def reads_as_numbers(column: pd.Series) -> bool:
    """Whether every cell of a column of display strings is a number, so that it is set at the right."""
    cells = [str(cell) for cell in column]
    return all(not cell or cell == "–" or cell.lstrip("+−< ")[:1].isdigit() for cell in cells) and any(cells)


def _amount(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "–"
    digits = 0 if float(value).is_integer() and abs(value) >= 1 else 4 if abs(value) < 1 else 2
    words = f"{value:{'+' if signed else ''},.{digits}f}"
    return words.replace("-", "−")
