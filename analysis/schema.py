"""Tables and columns: the public vocabulary of the app, the notebooks and the command line.

One source of truth. Import checks against it, the data dictionary is written from it, and every label a
person reads comes from it or from the vocabularies in ``data/reference``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SCHEMA_VERSION = 3
DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"

ColumnType = Literal["text", "date", "integer", "number", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a source table.

    `vocabulary` names the list its values come from; `low` and `high` bound numbers (both included).
    A `planned` date may lie after the as-of date: it is when something should happen, not when it did.
    """

    name: str
    type: ColumnType
    meaning: str
    required: bool = False
    vocabulary: str | None = None
    low: float | None = None
    high: float | None = None
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One source table: what a row is, its key, and the tables its keys point into."""

    name: str
    row_is: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    refers_to: Mapping[str, str]
    date_order: tuple[str, ...] = ()
    virtual_only: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that may never be empty."""
        return tuple(column.name for column in self.columns if column.required)


def _text(name: str, meaning: str, vocabulary: str | None = None, *, required: bool = False) -> Column:
    return Column(name, "text", meaning, required, vocabulary)


def _date(name: str, meaning: str, *, required: bool = False, planned: bool = False) -> Column:
    return Column(name, "date", meaning, required, planned=planned)


def _amount(name: str, meaning: str, type: ColumnType, low: float, high: float) -> Column:
    return Column(name, type, meaning, False, None, low, high)


_TABLES = (
    Table(
        "members",
        "a company",
        ("member_id",),
        (
            _text("member_id", "Identifier of the company", required=True),
            _text("entity_type", "What kind of business it is", "entity_type", required=True),
            _text("tier", "Program tier", "tier"),
            _date("certified_on", "Day it was certified"),
            _date("next_due_on", "Day its next validation is due", planned=True),
            _date("left_on", "Day it left the program"),
            _text("field_office", "Field office in charge", "field_office"),
            _text("country", "Country"),
            _text("region", "Region"),
        ),
        {"field_office": "field_offices"},
    ),
    Table(
        "validations",
        "one validation",
        ("validation_id",),
        (
            _text("validation_id", "Identifier of the validation", required=True),
            _text("member_id", "Company validated", required=True),
            _text("field_office", "Field office that conducted it", "field_office", required=True),
            _text("mode", "Validation mode", "mode", required=True),
            _date("conducted_on", "Day it was conducted", required=True),
            _text("entity_type", "Kind of business; wins over the member's", "entity_type"),
            _text("kind", "Initial validation or revalidation", "kind"),
            _text("risk", "Risk at scheduling time", "risk"),
            _text("location", "Domestic or foreign", "location"),
            _text("specialist_id", "Pseudonym of the specialist"),
            _text("msc_version", "Version of the criteria used"),
            _date("validation_due_on", "Day it was due", planned=True),
            _date("scheduled_on", "Day it was scheduled"),
            _date("reported_on", "Day the report was sent"),
            _date("closed_on", "Day its actions were closed"),
            _amount("hours", "Specialist hours spent", "number", 0, 1000),
            _amount("sites", "Sites visited", "integer", 0, 500),
            _text("outcome", "Outcome", "outcome"),
            _text("platform", "Video platform (virtual only)"),
            _text("tour", "How the site was shown (virtual only)", "tour"),
            _amount("minutes_lost", "Minutes lost to technology (virtual only)", "number", 0, 10_000),
        ),
        {"member_id": "members", "field_office": "field_offices"},
        ("scheduled_on", "conducted_on", "reported_on", "closed_on"),
        ("platform", "tour", "minutes_lost"),
    ),
    Table(
        "findings",
        "one criterion of one validation whose answer is not “met”",
        ("validation_id", "criterion_id"),
        (
            _text("validation_id", "Validation it belongs to", required=True),
            _text("criterion_id", "Criterion", required=True),
            _text("answer", "Answer to the criterion", "answer", required=True),
            _text("category", "Category; wins over the catalogue's when mapped"),
            _text("level", "Must or Should as written down; checked, never used", "level"),
            _text("reason", "Reason of the deficiency", "reason"),
            _text("evidence", "Evidence looked at", "evidence"),
            _date("due_on", "Day the correction is due", planned=True),
            _date("corrected_on", "Day it was corrected"),
        ),
        {"validation_id": "validations", "criterion_id": "criteria"},
    ),
    Table(
        "incidents",
        "one security breach, or `weight` of them",
        ("incident_id",),
        (
            _text("incident_id", "Identifier of the incident", required=True),
            _date("occurred_on", "Day it occurred", required=True),
            _text("transport_mode", "Transport mode", "transport_mode", required=True),
            _amount("weight", "How many incidents the row stands for", "integer", 1, 10_000_000),
            _text("date_precision", "Whether the day or only the month is known", "date_precision"),
            _text("member_id", "Company involved"),
            _text("field_office", "Field office of the incident", "field_office"),
            _date("reported_on", "Day it was reported"),
            _text("concealment_method", "How it was concealed", "concealment_method"),
            _text("contraband", "What was concealed", "contraband"),
            _text("seal_issue", "What was wrong with the seal", "seal_issue"),
            Column("internal_conspiracy", "flag", "Whether insiders took part (0/1)"),
            _text("breach_point", "Where the chain was breached"),
            _text("route_origin", "Where the route began"),
            _text("terminal", "Terminal involved"),
            Column("self_reported", "flag", "Whether the member reported it (0/1)"),
            _date("analysis_opened_on", "Day the post-incident analysis was opened"),
            _date("analysis_closed_on", "Day the post-incident analysis was closed"),
        ),
        {"member_id": "members", "field_office": "field_offices"},
    ),
    Table(
        "incident_causes",
        "one cause of one incident",
        ("incident_id", "cause"),
        (
            _text("incident_id", "Incident it belongs to", required=True),
            _text("cause", "Cause of the breach", "cause", required=True),
        ),
        {"incident_id": "incidents"},
    ),
    Table(
        "feedback",
        "one answer to one item",
        ("response_id", "item"),
        (
            _text("response_id", "Identifier of the response", required=True),
            _text("validation_id", "Validation it speaks of", required=True),
            _text("respondent", "Who answered", "respondent", required=True),
            _text("item", "Item asked", "item", required=True),
            Column("score", "integer", "Score 1–5; would choose again: 1 = no, 5 = yes", True, None, 1, 5),
            _text("theme", "Theme of the comment"),
            _text("comment", "Comment"),
        ),
        {"validation_id": "validations"},
    ),
    Table(
        "criteria",
        "one MSC criterion",
        ("criterion_id",),
        (
            _text("criterion_id", "Number of the criterion", required=True),
            _amount("category_no", "Number of its category", "integer", 0, 1000),
            _text("category", "Category", required=True),
            _text("focus_area", "Focus area"),
            _text("title", "Short title, in our words"),
            _text("level", "Must or Should", "level"),
            _text("seen_by", "How an assessor would see it", "seen_by"),
        ),
        {},
    ),
    Table(
        "applicability",
        "one criterion for one entity type; a criterion without a row applies to all",
        ("criterion_id", "entity_type", "from"),
        (
            _text("criterion_id", "Criterion", required=True),
            _text("entity_type", "Entity type it applies to", "entity_type", required=True),
            _text("level", "Must or Should for this entity type; wins over the catalogue's", "level"),
            _date("from", "First day it applies", planned=True),
            _date("to", "Last day it applies", planned=True),
        ),
        {"criterion_id": "criteria"},
    ),
    Table(
        "field_offices",
        "one field office",
        ("field_office",),
        (
            _text("field_office", "Field office", required=True),
            _date("opened_on", "Day it opened", planned=True),
            _date("closed_on", "Day it closed", planned=True),
        ),
        {},
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _TABLES}
"""Source tables by name, in the order in which they can be checked (referred-to tables aside)."""

REFERENCE_TABLES = ("criteria", "applicability", "field_offices")
"""Tables shipped in ``data/reference`` and used where a source brings none of its own."""

FILTER_COLUMNS = ("field_office", "mode", "month", "entity_type", "risk", "kind", "location")
"""F of the design: the columns every cell of validations is grouped by."""

ADJUSTMENT_COLUMNS = ("risk", "kind", "location")
"""What Mantel–Haenszel stratifies by: few strata, the columns that assignment is known to depend on."""

LABELS: dict[str, str] = {
    "field_office": "Field office",
    "mode": "Validation mode",
    "month": "Month",
    "quarter": "Quarter",
    "fiscal_year": "Fiscal year",
    "entity_type": "Entity type",
    "risk": "Risk",
    "kind": "Kind of validation",
    "location": "Location",
    "focus_area": "Focus area",
    "category": "Category",
    "criterion_id": "Criterion",
    "level": "Must or Should",
    "seen_by": "How it is seen",
    "answer": "Answer",
    "reason": "Reason",
    "transport_mode": "Transport mode",
    "concealment_method": "Concealment method",
    "contraband": "Contraband",
    "seal_issue": "Seal issue",
    "cause": "Cause of breach",
    "route_origin": "Route origin",
    "terminal": "Terminal",
    "respondent": "Respondent",
    "previous_mode": "Mode of the earlier validation",
    "validation_id": "Validation",
    "member_id": "Member",
}
"""Column names as people read them."""

NOT_RECORDED = "Not recorded"
