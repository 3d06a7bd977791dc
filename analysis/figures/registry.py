"""Which figures there are, what each reads, and how to build one by its id."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from analysis.charts.figure import Figure
from analysis.charts.theme import PaletteName
from analysis.errors import AnalysisError, nearest
from analysis.figures.asking import hiding
from analysis.figures.captions import state_without_table
from analysis.selection import LISTS, Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

Reads = Literal["cells", "rows", "source", "published"]


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """One registered figure.

    `reads` says what a filter change touches: ``cells`` (counts), ``rows`` (narrow prepared columns, where counts
    cannot serve: specialists, distinct members), ``source`` (the quality of the rows as they came) or ``published``
    (no data at all). A `drawn` figure is a chart and
    takes a palette; the others are markup, coloured by the page. Where a dataset lacks the table a figure `needs`,
    the figure says so. `method` is the part of the page Methods that says how it is made.
    """

    id: str
    reads: Reads
    build: Callable[..., Figure]
    drawn: bool = False
    needs: str = ""
    method: str = ""


@cache
def registry() -> Mapping[str, FigureSpec]:
    """All figures by id, in page order."""
    from analysis.figures import (
        afterwards,
        anomalies_months,
        anomalies_places,
        anomalies_units,
        anomalies_validations,
        backlog,
        balance,
        comparison,
        data,
        deficiency_categories,
        deficiency_changes,
        deficiency_modes,
        deficiency_ranking,
        deficiency_reason_grid,
        deficiency_reasons,
        differences,
        differences_categories,
        differences_criteria,
        differences_mix,
        differences_seen,
        effort,
        effort_distributions,
        effort_evidence,
        feedback,
        glance,
        incident_lift,
        incident_members,
        incident_series,
        incident_shares,
        maritime,
        maritime_members,
        methods,
        overview,
        overview_program,
        robustness,
        robustness_leave_out,
        robustness_power,
        robustness_specifications,
        robustness_unmeasured,
        tracking,
    )
    from analysis.methods.parts import EXPLAINED_IN
    from analysis.methods.statistics import TOPICS
    from analysis.questions.amounts import AMOUNTS

    specs = (
        FigureSpec("overview.statistics", "rows", overview.statistics),
        FigureSpec("overview.program", "rows", overview_program.program),
        FigureSpec("overview.months", "cells", overview.months, drawn=True, needs="validations"),
        FigureSpec("overview.published", "published", overview.published),
        FigureSpec("virtual_vs_in_person.verdict", "rows", comparison.verdict, needs="validations"),
        FigureSpec("virtual_vs_in_person.metrics", "rows", glance.metrics_at_a_glance, needs="validations"),
        FigureSpec(
            "virtual_vs_in_person.tracking", "rows", tracking.tracked, drawn=True, needs="validations"
        ),
        FigureSpec(
            "virtual_vs_in_person.ways", "rows", comparison.ways_of_asking, drawn=True, needs="validations"
        ),
        FigureSpec("virtual_vs_in_person.mix", "rows", differences_mix.mix_table, needs="validations"),
        FigureSpec(
            "virtual_vs_in_person.balance", "cells", balance.fairness, drawn=True, needs="validations"
        ),
        FigureSpec(
            "virtual_vs_in_person.groups", "rows", differences.groups, drawn=True, needs="validations"
        ),
        FigureSpec(
            "virtual_vs_in_person.categories",
            "rows",
            differences_categories.categories,
            drawn=True,
            needs="validations",
        ),
        FigureSpec(
            "virtual_vs_in_person.seen_by", "rows", differences_seen.seen_by, drawn=True, needs="validations"
        ),
        FigureSpec(
            "virtual_vs_in_person.criteria",
            "rows",
            differences_criteria.criteria,
            drawn=True,
            needs="validations",
        ),
        FigureSpec(
            "virtual_vs_in_person.margin", "rows", robustness.margin_rows, drawn=True, needs="validations"
        ),
        FigureSpec("virtual_vs_in_person.unseen", "rows", robustness.unseen, drawn=True, needs="validations"),
        FigureSpec(
            "virtual_vs_in_person.specifications",
            "rows",
            robustness_specifications.specification_figure,
            drawn=True,
            needs="validations",
        ),
        FigureSpec(
            "virtual_vs_in_person.unmeasured",
            "rows",
            robustness_unmeasured.strength_needed,
            drawn=True,
            needs="validations",
        ),
        FigureSpec(
            "virtual_vs_in_person.leave_out",
            "rows",
            robustness_leave_out.leave_out,
            drawn=True,
            needs="validations",
        ),
        FigureSpec(
            "virtual_vs_in_person.power", "rows", robustness_power.power, drawn=True, needs="validations"
        ),
        FigureSpec("virtual_vs_in_person.effort", "rows", effort.side_by_side, needs="validations"),
        *(
            FigureSpec(
                f"virtual_vs_in_person.{amount}",
                "cells",
                partial(effort_distributions.distribution, amount=amount),
                drawn=True,
                needs="validations",
            )
            for amount in AMOUNTS
        ),
        FigureSpec(
            "virtual_vs_in_person.evidence", "rows", effort_evidence.evidence, drawn=True, needs="validations"
        ),
        FigureSpec("virtual_vs_in_person.backlog", "cells", backlog.overdue, drawn=True, needs="validations"),
        FigureSpec(
            "virtual_vs_in_person.afterwards",
            "rows",
            afterwards.incidents_afterwards,
            drawn=True,
            needs="validations",
        ),
        FigureSpec("msc_deficiencies.criteria", "cells", deficiency_ranking.criteria, drawn=True),
        FigureSpec("msc_deficiencies.reasons", "rows", deficiency_reasons.reasons, drawn=True),
        FigureSpec("msc_deficiencies.categories", "cells", deficiency_categories.categories),
        FigureSpec("msc_deficiencies.rates", "rows", deficiency_categories.rates, drawn=True),
        FigureSpec(
            "msc_deficiencies.reason_categories",
            "cells",
            deficiency_reason_grid.reason_categories,
            drawn=True,
        ),
        FigureSpec("msc_deficiencies.trends", "cells", deficiency_changes.trends),
        FigureSpec("msc_deficiencies.seen_by", "rows", deficiency_modes.seen_by, drawn=True),
        FigureSpec("msc_deficiencies.criteria_modes", "cells", deficiency_modes.criteria_modes, drawn=True),
        FigureSpec("msc_deficiencies.repeats", "rows", deficiency_changes.repeats, drawn=True),
        FigureSpec("msc_deficiencies.candidates", "cells", deficiency_changes.candidates_table),
        FigureSpec("incidents.over_time", "cells", incident_series.over_time, drawn=True, needs="incidents"),
        FigureSpec("incidents.limits", "rows", incident_series.limits, drawn=True, needs="incidents"),
        FigureSpec(
            "incidents.concealment", "cells", incident_shares.concealment, drawn=True, needs="incidents"
        ),
        FigureSpec("incidents.causes", "cells", incident_shares.causes, drawn=True, needs="incidents"),
        FigureSpec("incidents.seals", "cells", incident_shares.seals, drawn=True, needs="incidents"),
        FigureSpec(
            "incidents.contraband", "cells", incident_shares.contraband, drawn=True, needs="incidents"
        ),
        FigureSpec("incidents.rates", "rows", incident_members.rates, drawn=True, needs="incidents"),
        FigureSpec("incidents.concentration", "rows", incident_members.concentrated, needs="incidents"),
        FigureSpec(
            "incidents.earlier_deficiencies", "rows", incident_lift.earlier, drawn=True, needs="incidents"
        ),
        FigureSpec("maritime.routes", "rows", maritime.routes, drawn=True, needs="incidents"),
        FigureSpec("maritime.conspiracy", "rows", maritime.conspiracy, drawn=True, needs="incidents"),
        FigureSpec("maritime.terminals", "rows", maritime.terminals, drawn=True, needs="incidents"),
        FigureSpec("maritime.seals", "rows", maritime.seals, drawn=True, needs="incidents"),
        FigureSpec("maritime.analyses", "rows", maritime.analyses, needs="incidents"),
        FigureSpec(
            "maritime.entity_types", "rows", maritime_members.entity_types, drawn=True, needs="incidents"
        ),
        FigureSpec("maritime.deficiencies", "rows", maritime_members.deficiencies, drawn=True),
        FigureSpec("feedback.scores", "rows", feedback.scores, drawn=True, needs="feedback"),
        FigureSpec("feedback.response", "rows", feedback.response, drawn=True, needs="feedback"),
        FigureSpec("feedback.again", "rows", feedback.again, needs="feedback"),
        FigureSpec("feedback.agreement", "cells", feedback.agreement, needs="feedback"),
        FigureSpec("feedback.themes", "source", feedback.written, needs="feedback"),
        FigureSpec("anomalies.offices", "rows", anomalies_units.offices, drawn=True, needs="validations"),
        FigureSpec(
            "anomalies.specialists", "rows", anomalies_units.specialists, drawn=True, needs="validations"
        ),
        FigureSpec("anomalies.variation", "rows", anomalies_units.variation, drawn=True, needs="validations"),
        FigureSpec("anomalies.months", "cells", anomalies_months.months, drawn=True, needs="validations"),
        FigureSpec("anomalies.days", "cells", anomalies_months.days, drawn=True, needs="validations"),
        FigureSpec("anomalies.validations", "rows", anomalies_validations.validations, needs="validations"),
        FigureSpec("anomalies.seals", "rows", anomalies_places.seals, drawn=True, needs="incidents"),
        FigureSpec(
            "anomalies.minutes_lost", "rows", anomalies_places.minutes_lost, drawn=True, needs="validations"
        ),
        FigureSpec(
            "anomalies.not_verified", "rows", anomalies_places.not_verified, drawn=True, needs="validations"
        ),
        FigureSpec("data.loaded", "cells", data.loaded),
        FigureSpec("data.checks", "source", data.checks),
        FigureSpec("data.completeness", "source", data.office_months, drawn=True),
        FigureSpec("data.rejects", "source", data.rejected),
        FigureSpec("methods.challenges", "published", methods.challenges),
        FigureSpec("methods.metrics", "published", methods.metrics),
        FigureSpec("methods.ways", "published", methods.ways),
        FigureSpec("methods.verdicts", "published", methods.verdicts),
        *(
            FigureSpec(f"methods.{topic}", "published", partial(methods.statistics, topic=topic))
            for topic in TOPICS
        ),
        FigureSpec("methods.guardrails", "published", methods.guardrails),
        FigureSpec("methods.limits", "published", methods.limits),
        FigureSpec("methods.glossary", "published", methods.glossary),
    )
    return {spec.id: dataclasses.replace(spec, method=EXPLAINED_IN.get(spec.id, "")) for spec in specs}


def figure(
    figure_id: str,
    dataset: Dataset,
    selection: Selection = Selection(),
    *,
    palette: PaletteName = "light",
    suppress: bool = False,
    **settings: Any,
) -> Figure:
    """Build one figure.

    Parameters
    ----------
    figure_id : str
        E.g. ``"virtual_vs_in_person.ways"``; `registry` lists them.
    dataset : Dataset
    selection : Selection
    palette : {"light", "dark", "screen"}
        Colours of a chart; ``screen`` follows the theme of the page.
    suppress : bool
        Hide counts of 1 to 4, and what would give them back, in the whole figure.
    **settings
        What the figure can be asked for, e.g. ``metric="any_deficiency"``.

    Raises
    ------
    AnalysisError
        For an unknown figure, or settings and filters its question refuses.
    """
    known = registry()
    if figure_id not in known:
        raise AnalysisError(f"figure '{figure_id}' is not registered; {nearest(figure_id, known)}")
    selection = selection.checked(dataset)
    spec = known[figure_id]
    if spec.needs and not dataset.row_counts.get(spec.needs):
        made = Figure(figure_id, "", state=state_without_table(spec.needs))
    else:
        colours = {"palette": palette} if spec.drawn else {}
        with hiding(suppress):
            made = spec.build(dataset, selection, **colours, **settings)
    asked = {**settings, "suppress": True} if suppress else settings
    made = dataclasses.replace(made, code=code_for(figure_id, dataset, selection, asked))
    if spec.reads == "published":
        return made
    return dataclasses.replace(made, tag=dataset.tag, synthetic=dataset.synthetic)


def code_for(figure_id: str, dataset: Dataset, selection: Selection, settings: Mapping[str, Any]) -> str:
    """Lines of Python that rebuild a figure in a notebook."""
    arguments = [repr(figure_id), "dataset", _written(selection)]
    arguments += [f"{name}={value!r}" for name, value in settings.items() if value is not None]
    dates = "import datetime as dt\n\n" if selection.start or selection.end else ""
    return (
        f"{dates}from analysis import Selection, figure, open_dataset\n\n"
        f"dataset = open_dataset({_folder(dataset.path)!r})\n"
        f"figure({', '.join(arguments)})\n"
    )


def _written(selection: Selection) -> str:
    parts = [f"{name}={getattr(selection, name)!r}" for name in LISTS if getattr(selection, name)]
    days: dict[str, dt.date | None] = {"start": selection.start, "end": selection.end}
    parts += [f"{name}=dt.date({day.year}, {day.month}, {day.day})" for name, day in days.items() if day]
    return f"Selection({', '.join(parts)})"


def _folder(path: Path) -> str:
    # Relative where it can be: a notebook on another machine has the project, not this machine's folders.
    relative = os.path.relpath(path)
    return path.name if relative.startswith("..") or os.path.isabs(relative) else relative
