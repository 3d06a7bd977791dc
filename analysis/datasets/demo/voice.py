"""What specialists and members of the synthetic program say: one row per answer to one item.

Themes and comments are invented; nobody said them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from analysis.datasets.demo.catalogue import Floats, Ints
from analysis.datasets.demo.members import VIRTUAL
from analysis.datasets.demo.outcomes import CHUNK
from analysis.datasets.demo.tables import coded, ids, validation_ids
from analysis.datasets.demo.world import RESPONDENTS, World

ITEMS = ("preparation", "technology", "thoroughness", "confidence", "effort", "would_repeat_virtual")
_CONFIDENCE, _REPEAT = ITEMS.index("confidence"), ITEMS.index("would_repeat_virtual")
_THRESHOLDS = (-1.6, -0.9, -0.15, 0.85)
_ITEM_MEANS = (0.25, 0.0, 0.15, 0.0, -0.1)
_SHARED = 0.5
_THEME_SHARE, _COMMENT_SHARE = 0.12, 0.5

_THEMES = (
    ("Scheduling", "Documents"),
    ("Connection", "Camera view"),
    ("Site tour", "Depth of review"),
    ("Depth of review", "Contact with people"),
    ("Time and travel", "Documents"),
    ("Time and travel", "Contact with people"),
)
_THEME_NAMES = tuple(sorted({theme for themes in _THEMES for theme in themes}))
_COMMENTS = {  # theme: (after a low score, after a high score)
    "Camera view": (
        "Light and angle left corners of the yard unseen.",
        "Close-ups of doors and seals were easy to follow.",
    ),
    "Connection": ("The line dropped in the warehouse.", "Sound and picture held from start to end."),
    "Contact with people": (
        "Harder to speak with staff who were not on the agenda.",
        "Everyone we wanted to hear was there and spoke freely.",
    ),
    "Depth of review": ("We ran out of time before the last sections.", "Every section was worked through."),
    "Documents": ("Files arrived late and without names.", "All procedures were shared a week before."),
    "Scheduling": ("The date moved twice.", "A date was found at the first try."),
    "Site tour": ("The tour skipped the loading docks.", "The tour followed the cargo from gate to gate."),
    "Time and travel": (
        "A full day went into half a day of work.",
        "Short, and nobody lost a day on the road.",
    ),
}


def score(latent: Floats) -> Ints:
    """A score from 1 to 5 for a latent normal answer."""
    return np.asarray(1 + np.searchsorted(_THRESHOLDS, latent))


def feedback_tables(world: World) -> Iterator[pa.Table]:
    """Answers in order of their key (validation, respondent, item), a chunk of validations at a time."""
    total, numbered = _total(world), 0
    for number, start in enumerate(range(0, len(world.schedule), CHUNK)):
        rows = np.arange(start, min(start + CHUNK, len(world.schedule)))
        rng = np.random.default_rng([world.seed, 13, number])
        table = _answers(world, rows, rng, numbered, total)
        numbered += table.num_rows
        yield table


def _asked(world: World, rows: Ints) -> np.ndarray:
    asked = np.repeat(world.voices.answered[rows][:, :, None], len(ITEMS), axis=2)
    asked[:, :, _REPEAT] &= (world.schedule.mode[rows] == VIRTUAL)[:, None]
    return asked


def _total(world: World) -> int:
    answered = world.voices.answered
    virtual = world.schedule.mode == VIRTUAL
    return int(answered.sum() * (len(ITEMS) - 1) + answered[virtual].sum())


def _answers(world: World, rows: Ints, rng: np.random.Generator, before: int, total: int) -> pa.Table:
    voices = world.voices
    shape = (len(rows), len(RESPONDENTS), len(ITEMS))
    own = rng.standard_normal(shape)
    themed, commented, which = rng.random(shape), rng.random(shape), rng.integers(0, 2, shape)
    common = voices.confidence["in_person"][rows]
    latent = np.append(_ITEM_MEANS, 0.0) + _SHARED * common[:, :, None] + np.sqrt(1 - _SHARED**2) * own
    confidence = world.happened(voices.confidence["virtual"], voices.confidence["in_person"])[rows]
    latent[:, :, _CONFIDENCE] = confidence
    scores = score(latent)
    scores[:, :, _REPEAT] = np.where(voices.repeat[rows], 5, 1)
    row, respondent, item = np.nonzero(_asked(world, rows))
    kept = (row, respondent, item)
    names = np.array([[_THEME_NAMES.index(theme) for theme in pair] for pair in _THEMES])
    theme = np.where(themed[kept] < _THEME_SHARE, names[item, which[kept]], -1)
    speaks = (theme >= 0) & (commented[kept] < _COMMENT_SHARE) & (scores[kept] != 3)
    comment = np.where(speaks, 2 * theme + (scores[kept] > 3), -1)
    return pa.table(
        {
            "response_id": ids("R", before + np.arange(len(row)), total=total, width=6),
            "validation_id": validation_ids(world, rows[row]),
            "respondent": coded(respondent, RESPONDENTS),
            "item": coded(item, ITEMS),
            "score": pa.array(scores[kept]),
            "theme": coded(theme, _THEME_NAMES),
            "comment": coded(comment, [text for name in _THEME_NAMES for text in _COMMENTS[name]]),
        }
    )
