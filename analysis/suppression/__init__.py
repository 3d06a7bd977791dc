"""Small counts hidden in whole answers: what `--suppress` and every export apply.

Counts of 1 to 4 are hidden with everything that would give them back: rates, intervals and differences made of
them, their complements, and one companion where a total is known. Differencing across filters is not prevented:
two exports of overlapping selections can be subtracted from each other.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TypeVar, cast

from analysis.questions.afterwards import Afterwards
from analysis.questions.amounts import AmountByMode
from analysis.questions.anomalies import Anomalies
from analysis.questions.anomalies_months import MonthChart
from analysis.questions.anomalies_seals import ClonedSeals
from analysis.questions.anomalies_technology import Technology
from analysis.questions.anomalies_units import Units
from analysis.questions.anomalies_validations import OddValidations
from analysis.questions.anomalies_variation import Variation
from analysis.questions.backlog import Backlog
from analysis.questions.balance import Balance
from analysis.questions.candidates import Candidates
from analysis.questions.completeness import Completeness
from analysis.questions.deficiency_modes import CriteriaByMode, ReasonsBothWays
from analysis.questions.deficiency_reasons import ReasonMix
from analysis.questions.deficiency_records import Deficiencies
from analysis.questions.deficiency_seen import WaysOfSeeing
from analysis.questions.deficiency_trends import Repeats, Trends
from analysis.questions.differences_criteria import CriteriaEvidence
from analysis.questions.differences_records import Differences, Mix
from analysis.questions.differences_seen import SeenByMode
from analysis.questions.effort import Effort
from analysis.questions.feedback_records import Feedback, PairAgreement, Themes
from analysis.questions.incident_records import IncidentGrid, Incidents, IncidentSeries
from analysis.questions.maritime import Maritime
from analysis.questions.overview_records import Monthly, Overview
from analysis.questions.program_totals import ProgramTotals
from analysis.questions.quality import Held, Quality, Rejected
from analysis.questions.robustness_bounds import Bounded
from analysis.questions.robustness_leave_out import LeaveOneOut
from analysis.questions.robustness_margin import Margins
from analysis.questions.robustness_power import Detectable
from analysis.questions.robustness_specifications import Specifications
from analysis.questions.robustness_unmeasured import Unmeasured
from analysis.questions.tracking import Tracking
from analysis.results import Comparison, Family
from analysis.suppression.afterwards import suppressed_afterwards
from analysis.suppression.anomalies import (
    suppressed_anomalies,
    suppressed_months,
    suppressed_seals,
    suppressed_technology,
    suppressed_units,
    suppressed_validations,
    suppressed_variation,
)
from analysis.suppression.backlog import suppressed_backlog
from analysis.suppression.balance import suppressed_balance
from analysis.suppression.comparisons import suppressed_comparison
from analysis.suppression.deficiencies import (
    suppressed_deficiencies,
    suppressed_reason_mix,
    suppressed_reasons,
)
from analysis.suppression.deficiency_changes import (
    suppressed_candidates,
    suppressed_repeats,
    suppressed_trends,
)
from analysis.suppression.differences import (
    suppressed_criteria,
    suppressed_differences,
    suppressed_evidence,
    suppressed_family,
    suppressed_mix,
    suppressed_seen_classes,
    suppressed_ways_of_seeing,
)
from analysis.suppression.effort import suppressed_amount, suppressed_effort
from analysis.suppression.feedback import suppressed_feedback, suppressed_pairs, suppressed_themes
from analysis.suppression.glance import suppressed_comparisons
from analysis.suppression.incidents import suppressed_grid, suppressed_incidents, suppressed_series
from analysis.suppression.maritime import suppressed_maritime
from analysis.suppression.quality import (
    suppressed_completeness,
    suppressed_held,
    suppressed_quality,
    suppressed_rejected,
)
from analysis.suppression.robustness import (
    suppressed_bounds,
    suppressed_detectable,
    suppressed_leave_one_out,
    suppressed_margins,
    suppressed_specifications,
    suppressed_unmeasured,
)
from analysis.suppression.small import SUPPRESSED as SUPPRESSED
from analysis.suppression.statistics import (
    suppressed_monthly,
    suppressed_overview,
    suppressed_program_totals,
)
from analysis.suppression.tracking import suppressed_tracking

Answer = TypeVar("Answer")


def suppressed(answer: Answer) -> Answer:
    """An answer of the same kind without small counts.

    Raises
    ------
    TypeError
        For a kind of answer nobody said how to suppress: refusing is safe, showing is not.
    """
    return cast(Answer, _suppressed(answer))


@singledispatch
def _suppressed(answer: object) -> object:
    raise TypeError(f"nobody said how to hide small counts in {type(answer).__name__}")


_suppressed.register(Comparison, suppressed_comparison)
_suppressed.register(list, suppressed_comparisons)
_suppressed.register(Balance, suppressed_balance)
_suppressed.register(Overview, suppressed_overview)
_suppressed.register(ProgramTotals, suppressed_program_totals)
_suppressed.register(Monthly, suppressed_monthly)
_suppressed.register(AmountByMode, suppressed_amount)
_suppressed.register(Effort, suppressed_effort)
_suppressed.register(Afterwards, suppressed_afterwards)
_suppressed.register(Backlog, suppressed_backlog)
_suppressed.register(Tracking, suppressed_tracking)
_suppressed.register(Deficiencies, suppressed_deficiencies)
_suppressed.register(ReasonsBothWays, suppressed_reasons)
_suppressed.register(ReasonMix, suppressed_reason_mix)
_suppressed.register(Trends, suppressed_trends)
_suppressed.register(Repeats, suppressed_repeats)
_suppressed.register(Candidates, suppressed_candidates)
_suppressed.register(Family, suppressed_family)
_suppressed.register(WaysOfSeeing, suppressed_ways_of_seeing)
_suppressed.register(CriteriaByMode, suppressed_criteria)
_suppressed.register(Differences, suppressed_differences)
_suppressed.register(SeenByMode, suppressed_seen_classes)
_suppressed.register(CriteriaEvidence, suppressed_evidence)
_suppressed.register(Mix, suppressed_mix)
_suppressed.register(Incidents, suppressed_incidents)
_suppressed.register(IncidentSeries, suppressed_series)
_suppressed.register(IncidentGrid, suppressed_grid)
_suppressed.register(Maritime, suppressed_maritime)
_suppressed.register(Feedback, suppressed_feedback)
_suppressed.register(PairAgreement, suppressed_pairs)
_suppressed.register(Themes, suppressed_themes)
_suppressed.register(Margins, suppressed_margins)
_suppressed.register(Bounded, suppressed_bounds)
_suppressed.register(Specifications, suppressed_specifications)
_suppressed.register(Unmeasured, suppressed_unmeasured)
_suppressed.register(LeaveOneOut, suppressed_leave_one_out)
_suppressed.register(Detectable, suppressed_detectable)
_suppressed.register(Anomalies, suppressed_anomalies)
_suppressed.register(Units, suppressed_units)
_suppressed.register(Variation, suppressed_variation)
_suppressed.register(MonthChart, suppressed_months)
_suppressed.register(ClonedSeals, suppressed_seals)
_suppressed.register(OddValidations, suppressed_validations)
_suppressed.register(Technology, suppressed_technology)
_suppressed.register(Held, suppressed_held)
_suppressed.register(Quality, suppressed_quality)
_suppressed.register(Rejected, suppressed_rejected)
_suppressed.register(Completeness, suppressed_completeness)
_suppressed.register(type(None), lambda nothing: nothing)
