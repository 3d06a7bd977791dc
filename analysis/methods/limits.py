"""What the numbers cannot say, and which of them will be challenged: the answers to have ready."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.questions.smallness import MIN_EVENTS, MIN_PER_ARM
from analysis.questions.window import MIN_SHARE_OF_A_QUARTER
from analysis.results import SMALLEST_SHOWN


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: `id` for links, what it is, and what follows for a reader."""

    id: str
    name: str
    means: str
    so: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A number that will be questioned: the question, the answer, where the number comes from, where to see it."""

    id: str
    number: str
    challenge: str
    answer: str
    comes_from: str
    see: str


LIMITS: tuple[Limit, ...] = (
    Limit(
        "associations",
        "Associations only",
        "Nobody drew lots for the validation mode. What is recorded is adjusted for; what is not recorded – how cooperative "
        "a member is, why a specialist chose a screen – is not.",
        "Say that virtual validations recorded more or fewer, never why.",
    ),
    Limit(
        "detection",
        "Detection or prevalence",
        "Fewer findings can mean a better member or a check that sees less. No comparison of validations alone tells these apart.",
        "Read the way of seeing (document, interview, physical) and the share not verified beside it.",
    ),
    Limit(
        "documents",
        "Documents as a negative control",
        "A document reads the same on a screen, so its criteria should differ little. A difference there hints at who was "
        "validated. That the mode changes nothing about documents is itself an assumption.",
        "Shown for judgement; no other answer is ever corrected by it.",
    ),
    Limit(
        "window",
        "One period, not all years",
        "Adjusted answers speak of quarters in which each mode made up at least "
        f"{MIN_SHARE_OF_A_QUARTER:.0%} of validations. New criteria, the pandemic and virtual work came together, so earlier "
        "years serve trends and pairs only.",
        "The crude line is of the whole selection; its n is larger.",
    ),
    Limit(
        "not-verified",
        "Not verified is not met",
        "Where a criterion could not be seen, nobody knows. Metrics of findings count it as nothing found, rates leave it "
        "out of both sides.",
        "Look at the bounds before the estimate where the share is above 5 in 100.",
    ),
    Limit(
        "suppression",
        "Hidden counts can be subtracted",
        f"Counts of 1 to {SMALLEST_SHOWN - 1} are hidden within one answer, with what would give them back. Two answers whose "
        "filters differ by a few records can still be subtracted from one another.",
        "Publish few, fixed selections; do not hand out answers on request for ever finer filters.",
    ),
    Limit(
        "margins",
        "Margins are illustrative",
        "How much worse is still good enough is a decision of the program, taken before looking. Until dataset.toml holds "
        "its own, each verdict says against an illustrative margin.",
        "Quote difference and interval, not the verdict alone.",
    ),
    Limit(
        "assumed",
        "What we assumed",
        "No complete list is published of which criteria apply to whom, how each is seen, why deficiencies occur, or what "
        "is critical. Ours are marked as assumed, and incomplete.",
        "Replace them: they are files in data/reference, not code.",
    ),
    Limit(
        "synthetic",
        "What synthetic means",
        "The demo is a simulation with a known truth. It shows that the methods find what was put in; about the real "
        "program it says nothing.",
        "Never quote a number that stands beside the word SYNTHETIC.",
    ),
    Limit(
        "incident-filters",
        "Filters of incidents",
        "Office and period are the incident's own. Risk, kind, location and validation mode are those of the member's last "
        "validation before it.",
        "“Incidents, virtual” reads: of members whose last validation was virtual.",
    ),
    Limit(
        "afterwards",
        "Incidents afterwards are rare and recent",
        "Recent virtual validations have had less time for an incident, and a validation may itself bring one to light.",
        "Expect “can't tell yet” for years; the interval says how much is excluded.",
    ),
    Limit(
        "small-numbers",
        "Small numbers",
        f"Fewer than {MIN_PER_ARM} validations in a mode, or {MIN_EVENTS} events in both, are shown and never judged. A group "
        "that just passes still has a wide interval.",
        "Compare intervals, not ranks of offices.",
    ),
    Limit(
        "answers-only",
        "Feedback is from those who answered",
        "Members and specialists who did not answer may think otherwise, and more of one mode may have answered.",
        "Read the response rate by mode first.",
    ),
)  # fmt: skip

CHALLENGES: tuple[Challenge, ...] = (
    Challenge(
        "difference",
        "The adjusted difference",
        "Virtual went to easier members. Of course they look alike.",
        "Both modes are compared on one mix of members, in several ways that fail differently, and the balance reached is "
        "drawn. Where the modes stay apart there is no verdict.",
        "analysis.compare; one row for each way in its answer",
        "Virtual vs in person: several ways of asking, is it fair?",
    ),
    Challenge(
        "interval",
        "The interval",
        "Validations of one specialist are alike. This is too narrow.",
        "Errors are clustered by specialist, never narrower than without, wider with few of them, and refused under five.",
        "specialist_id of the source rows",
        "The caption under the ways of asking names the clustering",
    ),
    Challenge(
        "margin",
        "The verdict",
        "Who chose the margin, and when?",
        "The program, if dataset.toml records it with a day; else it is ours and called illustrative. A margin moved by the "
        "reader is called moved.",
        "data/metrics.toml, [margins] of dataset.toml",
        "Virtual vs in person: verdict",
    ),
    Challenge(
        "n",
        "n",
        "You did more validations than that. Where are the others?",
        "Hybrid ones, those of another country's program, quarters with one mode only and those outside the denominator are "
        "left out, each counted with its reason.",
        "left_out of the answer",
        "The caption of every comparison",
    ),
    Challenge(
        "fewer",
        "Fewer findings",
        "So virtual sees less?",
        "It recorded less. Whether there was less to record these data do not say: physical criteria set against documents, "
        "the share not verified and its bounds narrow it down.",
        "answers and seen_by of findings",
        "Virtual vs in person, MSC deficiencies: by way of seeing",
    ),
    Challenge(
        "share",
        "A category's percentage",
        "The dashboard shows another figure.",
        "It shows the share of all deficiencies; beside it stands the rate, out of what was assessed. Both are named.",
        "counts of findings; the published table for 2021 beside them",
        "MSC deficiencies: categories",
    ),
    Challenge(
        "top",
        "The most frequent deficiency",
        "Last quarter it was another one.",
        "Ranks carry a range: criteria whose ranges overlap are not told apart. Count and rate give different orders, and "
        "both are shown.",
        "counts of findings, ranked by draws of their rates",
        "MSC deficiencies: criteria",
    ),
    Challenge(
        "looks",
        "The one criterion that differs",
        "With 97 looks something always does.",
        "Each family says how many looks it took: Holm for categories, the false-discovery rate for criteria.",
        "adjusted_p and q of the answer",
        "Virtual vs in person, MSC deficiencies",
    ),
    Challenge(
        "published",
        "A published figure",
        "That is not what our report says.",
        "It is copied with its source and date and never recomputed; where sources conflict, both are said.",
        "data/published",
        "Overview: published figures",
    ),
    Challenge(
        "again",
        "Any number, next month",
        "Can you show it again?",
        "Copy as Python, or the address with its filters: the same rows give the same number, and the fingerprint says "
        "whether they are the same rows.",
        "dataset.toml: as_of, fingerprint",
        "Actions on every figure; Data: what is loaded",
    ),
    Challenge(
        "real",
        "Any number at all",
        "Is this real?",
        "Every title, caption and export carries SYNTHETIC or the name of the dataset.",
        "dataset.toml: synthetic, name, source_note",
        "The line under every page's title",
    ),
)  # fmt: skip
