"""The few pieces of HTML that tables, cards and pages share. Every text that enters is escaped here.

Only spans and tables: the page's sanitiser removes inline SVG, so marks are drawn with CSS classes whose
colours are the variables of `analysis.charts.theme`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping


def text(words: object) -> str:
    """Anything as text that is safe inside markup.

    >>> text("A & B <script>")
    'A &amp; B &lt;script&gt;'
    """
    return html.escape(str(words), quote=True)


def emphasised(words: str) -> str:
    """Safe text in which ``**two stars**`` become bold: the one mark a sentence may carry.

    >>> emphasised("**1.9 points** less <often>")
    '<strong>1.9 points</strong> less &lt;often&gt;'
    """
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text(words))


def element(name: str, content: str = "", attributes: Mapping[str, str] | None = None, **more: str) -> str:
    """One element round content that is already markup; attribute values are escaped.

    Python's reserved ``class`` is written ``class_``.

    >>> element("td", "1", class_="number")
    '<td class="number">1</td>'
    """
    named = dict(attributes or {}) | {key.rstrip("_").replace("_", "-"): value for key, value in more.items()}
    inside = "".join(f' {key}="{text(value)}"' for key, value in named.items())
    return f"<{name}{inside}>{content}</{name}>"


def mark(role: str) -> str:
    """The mark of a role, for keys and tables; hidden from screen readers, words stand beside it."""
    return f'<span class="mark {text(role)}" aria-hidden="true"></span>'


def tag_box(tag: str, *, synthetic: bool) -> str:
    """The small box that says where the numbers come from; hatched when the data are synthetic."""
    return element("span", text(tag), class_="tag hatched" if synthetic else "tag")


def caption_line(tag: str, caption: str) -> str:
    """A caption: tag first, then plain words."""
    return element("p", f"{tag} {text(caption)}", class_="caption")
