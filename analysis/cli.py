"""Command line: the same questions for automation and for checking.

``--json`` prints one JSON object on standard output; everything else goes to standard error. Exit status 0:
answered ("too few data" is an answer); 2: a bad request or bad data, said in one sentence.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from analysis.selection import LISTS, Selection

MOST_REJECTS = 100
"""Rejected rows that ``check --json`` lists; a dataset keeps them all."""


@dataclass(frozen=True, slots=True)
class Question:
    """A command that answers one question of `analysis.questions` with a sentence and rows.

    The function is called as ``function(dataset, selection=…, **options)``.
    """

    command: str
    help: str
    module: str
    function: str
    options: Mapping[str, str] = field(default_factory=dict)
    transport_mode: bool = False


QUESTIONS = (
    Question("overview", "key statistics", "overview", "overview"),
    Question(
        "deficiencies", "deficiencies by criterion, category or reason", "deficiencies", "deficiencies",
        {"by": "criterion|category|reason"},
    ),
    Question("effort", "hours, sites and waiting times by mode", "effort", "effort"),
    Question("afterwards", "time to a first incident by mode", "afterwards", "afterwards"),
    Question("backlog", "validations overdue by month", "backlog", "backlog"),
    Question("tracking", "one metric by quarter and mode", "tracking", "tracking", {"metric": "METRIC"}),
    Question(
        "incidents", "incidents by transport mode, concealment, cause, time, entity type …", "incidents", "incidents",
        {"by": "transport_mode|concealment_method|cause|month|fiscal_year|entity_type|…"}, transport_mode=True,
    ),
    Question("maritime", "maritime incidents and post-incident analyses", "maritime", "maritime", transport_mode=True),
    Question("anomalies", "what deserves a second look: offices, specialists, months, validations, seals", "anomalies", "anomalies"),
    Question("feedback", "response rates, scores and their differences", "feedback", "feedback"),
)  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """Complains in one sentence and with exit status 2."""

    def error(self, message: str) -> Any:
        raise AnalysisError(f"{message}; see `{self.prog} --help`.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        options = _parser().parse_args(arguments)
        run: Callable[[argparse.Namespace], None] = options.run
        run(options)
    except BrokenPipeError:
        return 0
    except AnalysisError as error:
        # One line, whatever the names in it hold.
        _say("error: " + _without_password(" ".join(str(error).split())))
        return 2
    except OSError as error:
        # What the operating system refuses: a name that is too long, a folder nobody may enter.
        _say(f"error: {error.filename or 'a file'} cannot be used ({error.strerror}).")
        return 2
    except KeyboardInterrupt:
        _say("stopped: what was there is as it was.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m analysis", description="Compare virtual with in-person validations.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    commands.required = True

    demo = commands.add_parser("demo", help="write a synthetic dataset with a known truth")
    demo.add_argument("out", type=Path, metavar="OUT")
    demo.add_argument("--seed", type=_whole)
    demo.add_argument("--validations", type=_whole)
    demo.add_argument("--effects", type=Path, metavar="FILE.toml")
    _engine(demo)
    _json(demo, _demo)

    importing = commands.add_parser(
        "import", help="make a dataset of files or tables of a database through a mapping file"
    )
    importing.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="CSV, Excel, Parquet or DuckDB files, postgresql://user@host/database",
    )
    importing.add_argument("--mapping", type=Path, required=True, metavar="MAP.toml")
    importing.add_argument("--to", type=Path, metavar="OUT")
    importing.add_argument(
        "--append", action="store_true", help="keep what OUT holds, but for the months that the files bring"
    )
    importing.add_argument("--dry-run", action="store_true", help="read and check only")
    _engine(importing)
    _json(importing, _import)

    part = commands.add_parser("part", help="the part of a dataset that belongs to some field offices")
    _dataset(part)
    part.add_argument("--office", dest="offices", action="append", required=True, metavar="OFFICE")
    part.add_argument("--to", type=Path, required=True, metavar="OUT")
    _engine(part)
    _json(part, _part)

    check = commands.add_parser("check", help="quality report of a dataset")
    _dataset(check)
    _json(check, _check)

    compare = commands.add_parser("compare", help="virtual against in person on one metric")
    _dataset(compare)
    compare.add_argument("--metric", required=True)
    compare.add_argument("--margin", type=_number)
    compare.add_argument("--by", metavar="COLUMN")
    _filters(compare)
    _json(compare, _compare)

    for question in QUESTIONS:
        asked = commands.add_parser(question.command, help=question.help)
        _dataset(asked)
        for option, metavar in question.options.items():
            asked.add_argument(f"--{option}", required=True, metavar=metavar)
        _filters(asked, transport_mode=question.transport_mode)
        _json(asked, partial(_ask, question))

    brief = commands.add_parser("brief", help="a briefing as slides, PDF, web page, workbook or notebook")
    _dataset(brief)
    brief.add_argument(
        "briefing", type=Path, nargs="?", metavar="BRIEFING.toml", help="without it: --template"
    )
    brief.add_argument("--template", default="leadership", metavar="leadership|field_office|full")
    brief.add_argument("--to", type=Path, required=True, metavar="FILE.pptx|.pdf|.html|.xlsx|.ipynb|.toml")
    # Here --to is the file, so the last day has another name.
    _filters(brief, transport_mode=True, end="--until")
    _json(brief, _brief)

    bench = commands.add_parser("bench", help="the benchmark: filter changes, opening, statistics, browser")
    bench.add_argument("--sizes", default="S,M,L", metavar="S,M,L")
    bench.add_argument("--rounds", type=_whole, default=5)
    bench.add_argument("--cache", type=Path, metavar="FOLDER", help="where prepared datasets are kept")
    bench.add_argument("--to", type=Path, metavar="FILE.json", help="where to write the report")
    _json(bench, _bench)
    return parser


def _dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", type=Path, metavar="DATASET")


def _engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        default="duckdb",
        metavar="ENGINE",
        help="duckdb (default; takes 2.5 GiB of memory at most, or CTPAT_MEMORY=6GB), local[*] or spark://host:port",
    )


def _json(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], None]) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run)


def _filters(parser: argparse.ArgumentParser, *, transport_mode: bool = False, end: str = "--to") -> None:
    for name, (option, _) in LISTS.items():
        if name != "transport_modes" or transport_mode:
            parser.add_argument(f"--{option}", dest=name, action="append", default=[], metavar="VALUE")
    parser.add_argument("--from", dest="start", type=_date, metavar="YYYY-MM-DD")
    parser.add_argument(end, dest="end", type=_date, metavar="YYYY-MM-DD")
    parser.add_argument(
        "--suppress", action="store_true", help="hide counts of 1 to 4, and what would reveal them"
    )


def _selection(options: argparse.Namespace) -> Selection:
    lists = {name: tuple(getattr(options, name, ())) for name in LISTS}
    return Selection(start=options.start, end=options.end, **lists)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise AnalysisError(f"'{text}' is no date: write it like 2020-07-01.") from error


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise AnalysisError(f"margin '{text}' is no number: write a fraction such as 0.05.") from error
    if value != value:
        raise AnalysisError(f"margin '{text}' is no number: write a fraction such as 0.05.")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise AnalysisError(f"'{text}' is no whole number.") from error


def _demo(options: argparse.Namespace) -> None:
    from analysis.datasets.demo.making import make_demo
    from analysis.datasets.demo.source import DEFAULT_SEED, DEFAULT_VALIDATIONS

    made = make_demo(
        options.out,
        seed=DEFAULT_SEED if options.seed is None else options.seed,
        validations=DEFAULT_VALIDATIONS if options.validations is None else options.validations,
        effects=options.effects,
        engine=options.engine,
        progress=_say,
    )
    _print(options, {"dataset": str(options.out), **made}, [f"Synthetic dataset written to {options.out}."])


def _import(options: argparse.Namespace) -> None:
    from analysis.datasets.importing import import_dataset
    from analysis.datasets.mapping import read_mapping

    if options.to is None and not options.dry_run:
        raise AnalysisError("the import needs a place to write to: add --to OUT, or --dry-run to only check.")
    if options.append and options.to is None:
        raise AnalysisError("nobody can append to nothing: add --to with the dataset that is to grow.")
    report = import_dataset(
        options.sources,
        read_mapping(options.mapping),
        options.to or Path("."),
        append=options.append,
        dry_run=options.dry_run,
        engine=options.engine,
        progress=_say,
    )
    lines = []
    for name, table in report.tables.items():
        lines.append(f"{name}: {table.read:,} rows read, {table.kept:,} kept")
        for what in ("rejected", "left_out", "repaired"):
            counts: dict[str, int] = getattr(table, what)
            lines += [f"  {what.replace('_', ' ')}: {n:,} × {reason}" for reason, n in counts.items()]
    _print(options, report.to_dict(), lines)


def _part(options: argparse.Namespace) -> None:
    from analysis.datasets.opening import open_dataset
    from analysis.office_parts import make_part

    make_part(
        open_dataset(options.dataset), options.offices, options.to, engine=options.engine, progress=_say
    )
    made = open_dataset(options.to)
    answer = {"dataset": str(options.to), "offices": options.offices, "row_counts": dict(made.row_counts)}
    _print(options, answer, [f"The part of {', '.join(options.offices)} is written to {options.to}."])


def _check(options: argparse.Namespace) -> None:
    from analysis.datasets.opening import open_dataset
    from analysis.questions.completeness import completeness
    from analysis.questions.quality import quality, rejects

    dataset = open_dataset(options.dataset)
    answer, filled, refused = quality(dataset), completeness(dataset), rejects(dataset)
    lines = [answer.sentence, *(f"  {check.words}: {check.count:,}" for check in answer.checks)]
    lines += [filled.sentence] if filled else []
    first = json.loads(refused.head(MOST_REJECTS).to_json(orient="records"))
    lines += [f"  {row['file']} row {row['row']}, {row['table']}: {row['rule']}" for row in first[:10]]
    more = {"completeness": filled.to_dict() if filled else None, "rejects": first, "rejects_n": len(refused)}
    _print(options, answer.to_dict() | more, lines)


def _compare(options: argparse.Namespace) -> None:
    from analysis.datasets.opening import open_dataset
    from analysis.questions.comparison import compare
    from analysis.suppression import suppressed

    dataset = open_dataset(options.dataset)
    answer = compare(dataset, options.metric, _selection(options), margin=options.margin, by=options.by)
    if options.suppress:
        answer = suppressed(answer)
    lines = [answer.sentence.replace("**", "")]
    for row in answer.estimates:
        bounds = f"[{row.interval.low:.4f}, {row.interval.high:.4f}]" if row.interval else "no interval"
        value = "–" if row.estimate is None else f"{row.estimate:.4f}"
        lines.append(f"  {row.method} {row.measure}: {value} {bounds} (n = {row.n:,})")
    lines += [f"  {dict(group.group)}: {group.sentence.replace('**', '')}" for group in answer.groups]
    _print(options, answer.to_dict(), lines)


def _ask(question: Question, options: argparse.Namespace) -> None:
    from analysis.datasets.opening import open_dataset
    from analysis.suppression import suppressed

    function = getattr(import_module(f"analysis.questions.{question.module}"), question.function)
    settings = {option: getattr(options, option) for option in question.options}
    answer = function(open_dataset(options.dataset), selection=_selection(options), **settings)
    if options.suppress:
        answer = suppressed(answer)
    given = answer.to_dict()
    lines = [given["sentence"].replace("**", "")]
    for row in given["rows"]:
        said = {
            key: value
            for key, value in row.items()
            if value is not None and not isinstance(value, dict | list)
        }
        lines.append("  " + ", ".join(f"{key} {_plain(value)}" for key, value in said.items()))
    _print(options, given, lines)


def _brief(options: argparse.Namespace) -> None:
    from analysis.datasets.opening import open_dataset
    from analysis.report.unattended import brief

    content = brief(
        open_dataset(options.dataset),
        options.to,
        file=options.briefing,
        template=options.template,
        selection=_selection(options),
        progress=lambda done, whole, words: _say(f"{done + 1} of {whole}: {words}"),
    )
    given = {
        "briefing": str(options.to),
        "figures": [sheet.entry.figure for sheet in content.sheets],
        "problems": list(content.problems),
        "changed": content.changed,
        "changes": sum(len(sheet.changes) for sheet in content.sheets),
        "suppressed": content.briefing.suppress,
    }
    lines = [f"{len(content.sheets)} figures written to {options.to}."]
    lines += [words for words in (content.changed, *content.problems) if words]
    _print(options, given, lines)


def _bench(options: argparse.Namespace) -> None:
    try:
        command = import_module("tests.bench.__main__")
    except ModuleNotFoundError as error:
        if error.name not in ("tests", "tests.bench", "tests.bench.__main__"):
            raise
        raise AnalysisError(
            "the benchmark is part of a checkout of the project: run it from the project's folder."
        ) from error
    report = command.bench(
        sizes=options.sizes.split(","), rounds=options.rounds, cache=options.cache, to=options.to
    )
    _print(options, report, command.sentences(report))


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _print(options: argparse.Namespace, answer: dict[str, Any], lines: Sequence[str]) -> None:
    if options.json:
        print(json.dumps(answer, ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(lines))


def _without_password(text: str) -> str:
    # An address given where none is expected is still somebody's.
    return re.sub(r"(:/{1,2}[^\s/:@]*):[^\s@]*@", r"\1:…@", text)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
