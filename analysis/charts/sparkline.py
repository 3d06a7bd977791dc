"""Sparklines: small grey lines as images for tables and tiles; the words beside them carry the numbers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

Series = Sequence[float | None]


def sparkline(series: Series, *, second: Series | None = None, width: int = 160, height: int = 28) -> str:
    """An ``<img>`` of one line, or of two on a shared scale (second dashed); empty text alternative.

    Parameters
    ----------
    series : sequence of float or None
        Values in time order; a missing value breaks the line.
    second : sequence of float or None, optional
        A second line of the same length: in person beside virtual.
    width, height : int
        Size in pixels; the stylesheet may stretch the width.

    Returns
    -------
    str
        Markup, or an empty string where fewer than two values exist.
    """
    known = [value for line in (series, second or ()) for value in line if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    lines = _path(series, low, high, width, height, dashed=False)
    if second is not None:
        lines += _path(second, low, high, width, height, dashed=True)
    # An image cannot see the page's variables, so its greys hold in both schemes: 3.9:1 at least on either paper, and a picture needs 3:1.
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" preserveAspectRatio="none">'
        f'<g fill="none" stroke="#76828F" stroke-width="1.5" stroke-linejoin="round">{lines}</g></svg>'
    )
    source = b64encode(svg.encode()).decode()
    size = f'width="{width}" height="{height}"'
    return f'<img class="spark" alt="" {size} src="data:image/svg+xml;base64,{source}">'


def _path(series: Series, low: float, high: float, width: int, height: int, *, dashed: bool) -> str:
    step = (width - 4) / max(len(series) - 1, 1)
    span = (high - low) or 1.0
    commands, drawing = [], False
    for i, value in enumerate(series):
        if value is None:
            drawing = False
            continue
        y = height - 3 - (value - low) / span * (height - 6) if high > low else height / 2
        commands.append(f"{'L' if drawing else 'M'}{2 + i * step:.1f} {y:.1f}")
        drawing = True
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<path{dash} vector-effect="non-scaling-stroke" d="{"".join(commands)}"/>'
