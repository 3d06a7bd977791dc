"""Reason codes: why a number does not exist, or should be read with care.

Statistics and questions hand out codes; people read the words here. One table, so that the page, the
notebook, the briefing and the command line never explain the same thing differently.
"""

from __future__ import annotations

REASONS: dict[str, str] = {
    # nothing, or too little, to count
    "empty_selection": "No validations match these filters.",
    "arm_empty": "One of the two modes has no validations here.",
    "too_few_in_an_arm": "Fewer than 10 validations in one of the two modes.",
    "too_few_events": "Fewer than 5 events, or fewer than 5 non-events, in both modes together.",
    "small_numbers": "Small numbers: read the interval, not the estimate.",
    "no_successor": "No validation of one of the two modes has a next one yet.",
    "zero_denominator": "Nothing was at risk of being counted, so there is no rate.",
    "ratio_needs_events": "A ratio needs at least one event in each mode.",
    "too_few_periods": "Too few periods to tell a change from noise.",
    "few_periods": "Fewer than 20 periods: the limits are provisional.",
    "no_variation": "Every value is the same: there is no variation to speak of.",
    # what the source does not know
    "criteria_asked_unknown": "The source does not say which criteria were looked at, so no rate per criterion exists.",
    "clean_validations_unknown": "The source lists only validations with findings, so no rate exists, only shares.",
    "level_unknown": "The source does not tell Must from Should.",
    "table_absent": "The dataset has no table for this.",
    "column_absent": "The dataset does not record this.",
    "unknown_rows_left_out": "Rows that do not record this are left out and counted.",
    # population
    "no_comparison_window": "There is no quarter in which both modes were in use.",
    "outside_comparison_window": "Done in a quarter in which one of the two modes was not in use (under 2 in 100).",
    "no_counterpart": "No validation of the other mode shares the same risk, kind and location.",
    "mode_hybrid": "Hybrid validations belong to neither mode.",
    "mode_mutual_recognition": "Done by another country's program.",
    "mode_other": "Neither of the two modes compared.",
    "mode_unknown": "The mode of validation is not recorded.",
    "focus_area_ignored": "This figure is counted over all criteria, so the focus-area filter is not applied to it.",
    "mode_filter_ignored": "The comparison needs both modes, so the validation-mode filter is not applied here.",
    "denominator_missing": "Outside this metric's denominator.",
    # adjustment and errors
    "nothing_to_adjust_for": "Neither risk, kind nor location is recorded, so like cannot be compared with like.",
    "adjusted_for_part": "Not every adjustment column is recorded; adjusted for those that are.",
    "poor_positivity": "Under 80% of virtual validations have an in-person counterpart of the same risk, kind and location.",
    "clusters_unknown": "Specialists are not recorded: validations are treated as independent.",
    "too_few_clusters": "Fewer than 5 specialists in one of the modes: no honest interval allows for their differences.",
    "few_clusters": "Fewer than 40 specialists in one of the modes: the interval allows for that by being wider.",
    "separated": "A group has only events or only non-events, so its effect runs off to infinity.",
    "collinear": "Some adjustment columns repeat each other, so their effects cannot be told apart.",
    "model_reduced": "Too few events to adjust for every recorded column: the last ones are left out of the model.",
    "model_too_large": "Too few events for a model: fewer than 5 for each of its columns.",
    "model_needs_clusters": "Fewer than 5 specialists: the error of a model would rest on too few, so none is given.",
    "more_events_than_chances": "Some validations count more events than chances, so no model of shares fits them.",
    "unbalanced": "Even after weighting, the two modes' validations differ in what is recorded about them.",
    "model_refused": "A model was refused for this group, so it is stratified (Mantel–Haenszel) instead.",
    "not_robust": "The adjusted methods disagree by more than the margin, or in direction: the answer depends on the method.",
    "no_pairs": "No member was validated in person and then again, in both ways, in the comparison window.",
    "too_few_pairs": "Fewer than 10 pairs of validations of the same member with or without a change of mode.",
    "few_effective": "Weighting leaves less than half of the precision of one of the modes.",
    "trimmed": "Validations that were almost certain to be of one mode are left out.",
    "fully_pooled": "The units differ no more than chance would make them: each gets the common rate.",
    "clusters_needed": "Fewer than 5 specialists are recorded: rates over several criteria carry no interval.",
    "thin_overlap": "Too few validations of one mode share their risk, kind and location with the other.",
    "independent": "Validations are treated as independent.",
    "beyond_two_sided": "The whole interval lies beyond the margin, on a metric without a bad direction.",
    "heterogeneous": "The difference is not the same in every stratum: the one number is an average.",
    "reversal": "Adjusting reverses the sign, and both intervals exclude no difference (Simpson's paradox).",
    "attenuation": "Adjusting removes more than half of the crude difference.",
    # catalogue
    "single_criterion_category": "The first place is an artefact of the catalogue: it is the only criterion known in its category.",
    # margins and verdicts
    "illustrative_margin": "The margin is illustrative until the program records its own.",
    "moved_margin": "The margin was moved by the reader, not set beforehand.",
    "no_margin": "No margin is set for this metric.",
    "described_only": "Described, not judged.",
    "conditions_on_findings": "Only what was written down can be corrected, and the mode decides part of that.",
    "no_counterpart_arm": "Asked only after virtual validations: there is nothing to compare with.",
    "never_pooled": "Answered for each group apart and never pooled.",
    "by_earlier_mode": "Arms are the mode of the earlier validation.",
    "mostly_unseen": "More than 5 in 100 criteria could not be verified in one of the modes: read with bounds.",
    "censored": "Open cases count as still waiting, not as missing.",
    "horizon_not_reached": "Nobody was followed long enough in one of the modes.",
    "geometric_needs_positive": "A ratio of geometric means needs values above zero.",
    "suppressed": "Counts of 1 to 4 are not shown, nor what would reveal them.",
    "over_a_million": "With more than a million validations a p-value says nothing: judge by the margin.",
}


def words(code: str) -> str:
    """The sentence of a reason code.

    Raises
    ------
    KeyError
        For a code that is not in the table: codes are ours, so this is a mistake in the program.
    """
    return REASONS[code]
