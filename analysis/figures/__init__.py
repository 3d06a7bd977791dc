"""Figures: the registry from which pages, notebooks and briefings draw, each figure by its id."""

from analysis.figures.registry import FigureSpec, figure, registry

__all__ = ["FigureSpec", "figure", "registry"]
