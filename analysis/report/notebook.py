"""A briefing as a notebook that makes it again: one cell a figure, nothing stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from analysis.report.content import Content, Sheet
from analysis.report.printed import caption_of, plain, remarks, sources


def ipynb(content: Content, *, progress: Callable[[int, int, str], None] | None = None) -> str:
    """A briefing as a Jupyter notebook, without outputs."""
    opening = [
        f"# {escaped(plain(content.briefing.title))}",
        f"**{escaped(content.tag)}** · {escaped(content.scope)}",
    ]
    opening += [escaped(words) for words in remarks(content)]
    cells = [_cell("markdown", "\n\n".join(opening))]
    for place, sheet in enumerate(content.sheets):
        if progress:
            progress(place, len(content.sheets), sheet.title)
        cells += _cells(sheet)
    lines = [f"- {escaped(name)}: {escaped(words)}" for name, words in sources(content)]
    cells.append(_cell("markdown", "\n".join(["## Where the numbers come from", "", *lines])))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = {
        # Numbered, where the format's own library would draw names at random: the same briefing gives the same file.
        "cells": [cell | {"id": f"cell-{place}"} for place, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def escaped(words: str) -> str:
    r"""Words that a notebook shows as they are: no Markdown, HTML or mathematics in them is read.

    >>> escaped("a*b <i> $x$")
    'a\\*b &lt;i&gt; \\$x\\$'
    """
    safe = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|$~])", r"\\\1", safe)


def _cells(sheet: Sheet) -> list[dict[str, Any]]:
    lines = [f"## {escaped(plain(sheet.title))}", escaped(sheet.entry.note), escaped(caption_of(sheet))]
    words = "\n\n".join(line for line in lines if line)
    return [_cell("markdown", words), _cell("code", sheet.figure.code.rstrip("\n"))]


def _cell(kind: str, source: str) -> dict[str, Any]:
    more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source} | more
