"""The effects that rule the synthetic program, frozen: the shape of ``data/effects.toml``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

VIRTUAL_FROM = date(2020, 7, 1)
"""The day virtual validations began [P]; before it every validation is in person."""


@dataclass(frozen=True, slots=True)
class ByLocation:
    """One number for domestic and one for foreign members."""

    domestic: float
    foreign: float


@dataclass(frozen=True, slots=True)
class BySeen:
    """One number for each way a criterion is seen."""

    document: float
    interview: float
    physical: float


@dataclass(frozen=True, slots=True)
class ByMode:
    """One number for each validation mode compared."""

    virtual: float
    in_person: float


@dataclass(frozen=True, slots=True)
class ByRespondent:
    """One number for each kind of respondent."""

    specialist: float
    member: float


@dataclass(frozen=True, slots=True)
class Program:
    """Size and shape of the program; volumes are relative, one per calendar quarter from `first_year`."""

    first_year: int
    members_per_validation: float
    specialists: int
    initial_share: float
    risk_medium_share: float
    risk_high_share: ByLocation
    volume_by_quarter: tuple[float, ...]
    deficiencies_per_validation: float


@dataclass(frozen=True, slots=True)
class Detection:
    """Probability that a deficiency that is there gets written down; virtual relative to in person."""

    in_person: BySeen
    virtual_ratio: BySeen


@dataclass(frozen=True, slots=True)
class Assignment:
    """Log-odds of a validation being virtual from `VIRTUAL_FROM` on."""

    base: float
    risk_medium: float
    risk_high: float
    initial: float
    foreign: float
    maritime: float
    per_year: float
    specialist_sd: float


@dataclass(frozen=True, slots=True)
class Prevalence:
    """What makes a deficiency more often there: log-odds, one weight and one spread of criteria."""

    risk_medium: float
    risk_high: float
    initial: float
    foreign: float
    per_year: float
    physical_weight: float
    criterion_sd: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations, in log-odds of prevalence, between offices, specialists and members."""

    office: float
    specialist: float
    member: float


@dataclass(frozen=True, slots=True)
class NotVerified:
    """Probability that a criterion is answered not verified, whatever is there."""

    virtual: BySeen
    in_person: BySeen


@dataclass(frozen=True, slots=True)
class Duration:
    """A lognormal duration: in-person median (hours or days), virtual over in person, SD of its log."""

    in_person_median: float
    virtual_ratio: float
    log_sd: float


@dataclass(frozen=True, slots=True)
class Closing:
    """A lognormal duration from report to closing, and the days a member is given to correct."""

    in_person_median: float
    virtual_ratio: float
    log_sd: float
    due_days: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Probability of suspension when a Must deficiency was written down."""

    suspended_given_must: float


@dataclass(frozen=True, slots=True)
class LaterIncidents:
    """Hazard per 1,000 member-years = base * per_missed_physical ** missed."""

    base: float
    per_missed_physical: float


@dataclass(frozen=True, slots=True)
class Feedback:
    """Response rates by mode, shift of confidence (SD of a latent normal), share who would repeat."""

    response: ByMode
    confidence_shift: ByRespondent
    would_repeat: ByRespondent


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Strength of a hidden member trait that moves assignment and prevalence."""

    strength: float


@dataclass(frozen=True, slots=True)
class Plant:
    """Oddities hidden in the finished program: a name (or ``"any"``) and how many; empty and 0 for none."""

    under_recording_office: str
    copying_specialist: str
    impossible_dates: int
    cloned_seals: int

    def __bool__(self) -> bool:
        return bool(
            self.under_recording_office
            or self.copying_specialist
            or self.impossible_dates
            or self.cloned_seals
        )


@dataclass(frozen=True, slots=True)
class Effects:
    """Every number that rules the synthetic program; see ``data/effects.toml``."""

    program: Program
    detection: Detection
    assignment: Assignment
    prevalence: Prevalence
    spread: Spread
    not_verified: NotVerified
    hours: Duration
    report_days: Duration
    close_days: Closing
    outcome: Outcome
    later_incidents: LaterIncidents
    feedback: Feedback
    unmeasured: Unmeasured
    plant: Plant

    def to_dict(self) -> dict[str, Any]:
        """Plain nested values, in the order and with the names of ``effects.toml``."""
        return asdict(self)
