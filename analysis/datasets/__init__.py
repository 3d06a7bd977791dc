"""Datasets: where data come from, how they are checked, prepared and counted."""
