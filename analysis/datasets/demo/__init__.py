"""The synthetic demo: a simulated program whose truth is known."""
