"""The ways of asking whether virtual is as good as in person: what each asks, of whom, and when it is refused.

A way is known by the method of its `analysis.results.Estimate`; its formula and its source are those of the statistic
behind it, its refusals are reason codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.methods.statistics import Statistic, statistic
from analysis.questions.designs import EVENTS_PER_PARAMETER
from analysis.questions.models import POPULATIONS, TRIM

_MODELLED = (
    "no_comparison_window", "no_counterpart", "more_events_than_chances", "model_too_large", "separated",
    "model_needs_clusters",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """One way of asking.

    Parameters
    ----------
    method : str
        As in the answers: ``crude``, ``standardised``, …
    asks : str
        The question, as a person would put it.
    population : str
        Whom it speaks of, as the code of its estimates.
    does : str
        What is done, in plain words.
    assumes : str
    made_by : str
        The function behind it, e.g. ``"stats.strata.mh_difference"``.
    refused : tuple of str
        Reason codes under which it gives no estimate, or one that is not judged.
    own_formula : str
        Where the docstring of the function does not say it in one line.
    cites : tuple of str
        Where the function is no statistic of its own.
    """

    method: str
    asks: str
    population: str
    does: str
    assumes: str
    made_by: str
    refused: tuple[str, ...]
    own_formula: str = ""
    cites: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """How it is made, in symbols."""
        return self.own_formula or _statistic_of(self).how

    @property
    def references(self) -> tuple[str, ...]:
        """Who published it."""
        return self.cites or _statistic_of(self).references


_WAYS = (
    Way(
        "crude",
        "How far apart are the two modes, as counted?",
        "selection",
        "Counts the share in each mode and takes one from the other.",
        "Nothing, and so it compares nobody with their like: virtual validations went to lower-risk members.",
        "stats.proportions.newcombe",
        ("arm_empty", "too_few_in_an_arm", "too_few_events"),
        "events / n of each mode; the interval joins the modes' own score intervals.",
    ),
    Way(
        "standardised",
        "What would each mode have found on one and the same mix of members?",
        POPULATIONS["standardised"],
        "Fits one model of the outcome on mode, risk, kind, location, quarter, office and entity type; predicts every "
        "validation twice, as if virtual and as if in person; averages both and takes one from the other.",
        f"The model's shape is right: no mode effect that differs between members. It needs {EVENTS_PER_PARAMETER} events "
        "and as many non-events for each of its columns; with fewer, the last columns are left out.",
        "stats.g_computation.g_computation",
        _MODELLED,
        "p̂ = mean of logit⁻¹(a + b · mode + c · covariates) with mode set to 1, and to 0; the difference of the two means.",
    ),
    Way(
        "mantel_haenszel",
        "Among validations of the same risk, kind and location, how far apart are the modes on average?",
        "comparison_window",
        "Compares within each stratum, then averages, each stratum weighing by how much it has of both modes.",
        "Within a stratum nothing else goes with both mode and outcome: quarter, office and entity type are not adjusted for.",
        "stats.strata.mh_difference",
        ("no_comparison_window", "no_counterpart", "thin_overlap", "too_few_clusters"),
    ),
    Way(
        "overlap_weighted",
        "How far apart are the modes among members for whom both were plausible?",
        POPULATIONS["overlap_weighted"],
        "Models who was validated virtually, and lets each validation count by its probability of having been in the other mode.",
        "The model of the mode is right. Mantel–Haenszel weighs strata in the same way, so the two are not independent "
        "confirmations.",
        "stats.weighting.overlap_weighting",
        _MODELLED,
        "Weights 1 − e for virtual and e for in person, e being the propensity; the difference of the weighted shares.",
    ),
    Way(
        "doubly_robust",
        "The same, if one of the two models were wrong?",
        POPULATIONS["doubly_robust"],
        "Predicts the outcome with a model for each mode, and corrects the prediction with the overlap-weighted residuals.",
        "One of the two models, of the outcome or of the mode, is right.",
        "stats.weighting.overlap_weighting_augmented",
        _MODELLED,
    ),
    Way(
        "aipw",
        "How far apart would the modes be among nearly everyone?",
        POPULATIONS["aipw"],
        "As doubly robust, but each validation counts by one over the probability of its own mode, so that both modes "
        f"stand for everyone whose probability of virtual lies between {TRIM:g} and {1 - TRIM:g}.",
        "One of the two models is right. Those almost certain to be of one mode cannot be answered for and are left out.",
        "stats.weighting.aipw",
        _MODELLED,
    ),
    Way(
        "paired",
        "When the same member was validated in person and then virtually, what changed that did not change otherwise?",
        "pairs",
        "Takes each member's change from one validation to the next; subtracts the change of members validated in person "
        "both times, stratum by stratum (risk, location, kind of the first).",
        "Without a change of mode both groups would have changed alike. Pairs are few, so the interval is wide.",
        "questions.before_after.paired",
        ("column_absent", "focus_area_ignored", "no_pairs", "too_few_pairs", "model_needs_clusters", "no_variation"),
        "Σ w · (mean change to virtual − mean change in person), w = share of the virtual pairs in the stratum.",
        ("Abadie (2005), Rev. Econ. Stud. 72, 1–19.",),
    ),
)  # fmt: skip


def _statistic_of(way: Way) -> Statistic:
    return statistic(way.made_by.removeprefix("stats."))


def ways() -> Mapping[str, Way]:
    """All ways of asking by method, in the order in which the page shows them."""
    return {way.method: way for way in _WAYS}
