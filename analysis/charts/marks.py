"""The marks of a legend: one table for the page, slides, paper and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.charts.theme import ColourName

Role = Literal[
    "virtual", "in_person", "other", "must", "should", "primary", "alternative", "crude", "margin",
    "part_1", "part_2", "part_3", "part_4", "part_5", "part_6", "outside",
    "score_1", "score_2", "score_3", "score_4", "score_5",
]  # fmt: skip
"""What a mark stands for. ``part_1`` to ``part_6`` are the parts of a whole, from dark to light,
``score_1`` to ``score_5`` ordered scores."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark outside a chart: its shape, its colour, its outline where that is another, and the character like it."""

    shape: Literal["circle", "diamond", "square", "triangle"]
    colour: ColourName
    character: str
    outline: ColourName | None = None

    @property
    def shown(self) -> ColourName:
        """The colour that is seen: of the outline where the inside is as light as the paper."""
        return self.outline or self.colour


MARKS: dict[Role, Mark] = {
    "virtual": Mark("circle", "virtual", "●"),
    "in_person": Mark("diamond", "paper", "◇", "in_person"),
    "other": Mark("square", "other", "■"),
    "must": Mark("square", "ink", "■"),
    "should": Mark("square", "paper", "□", "ink"),
    "primary": Mark("circle", "ink", "●"),
    "alternative": Mark("square", "other", "■"),
    "crude": Mark("diamond", "paper", "◇", "other"),
    "margin": Mark("square", "margin", "■", "other"),
    "part_1": Mark("square", "ink", "■"),
    "part_2": Mark("square", "other", "■"),
    "part_3": Mark("square", "rule", "■", "other"),
    "part_4": Mark("square", "paper", "□", "ink"),
    "part_5": Mark("square", "inner", "□", "ink"),
    "part_6": Mark("square", "margin", "□", "ink"),
    "outside": Mark("triangle", "signal", "▲"),
    "score_1": Mark("square", "other", "■"),
    "score_2": Mark("square", "rule", "■", "other"),
    "score_3": Mark("square", "margin", "□", "other"),
    "score_4": Mark("square", "tint_virtual", "■", "primary"),
    "score_5": Mark("square", "primary", "■"),
}
