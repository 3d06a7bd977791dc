"""Fuzzers: whatever comes in, the answer is a result or one sentence, never another exception.

Every input has a number, and the same number makes the same input: ``python -m tests.trust.fuzzing files 1234`` runs
one again and shows what it raises.
"""

from __future__ import annotations

import contextlib
import copy
import io
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from analysis.cli import QUESTIONS, main
from analysis.datasets.demo.effects_reading import read_effects
from analysis.datasets.engines import collected, engine_named
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import parsed_mapping, read_mapping
from analysis.datasets.notes import parsed_notes
from analysis.datasets.opening import Dataset, open_dataset
from analysis.datasets.reading import read_source
from analysis.errors import AnalysisError
from analysis.report.briefing import read_briefing
from analysis.schema import DATA_FOLDER
from analysis.selection import LISTS, Selection
from tests.trust.odd_files import MAPPING, ODD_TEXTS, Maker, changed

SLOWEST = 20.0
"""Seconds after which an answer counts as none: files are small, so time can only come from what they claim."""

WHOLE = 10
"""One in so many files whose bytes were changed is not only read but imported as well."""


@dataclass
class Outcome:
    """What became of the inputs of one kind: how many by what happened, and what should not have happened."""

    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take the inputs of another run in."""
        self.kinds += other.kinds
        self.findings += other.findings


def tried(kind: str, number: int, run: Callable[[], str], outcome: Outcome) -> None:
    """Run once and put down what happened."""
    start = time.monotonic()
    try:
        outcome.kinds[run()] += 1
    except AnalysisError as error:
        said = str(error)
        outcome.kinds["refused in words"] += 1
        if not said.strip() or "Traceback" in said:
            outcome.findings.append(f"{kind} {number}: refused without words: {said[:200]!r}")
    except Exception as error:
        # Anything else is what this looks for.
        outcome.kinds["raised"] += 1
        outcome.findings.append(f"{kind} {number}: {type(error).__name__}: {str(error)[:200]}")
    if time.monotonic() - start > SLOWEST:
        outcome.kinds["slow"] += 1
        outcome.findings.append(f"{kind} {number}: took {time.monotonic() - start:.0f} s")


# -- files --------------------------------------------------------------------------------------------


def fuzz_files(numbers: Iterable[int]) -> Outcome:
    """Read odd files, and import those whose rows were changed: nothing is written by either."""
    outcome, maker = Outcome(), Maker()
    mapping = parsed_mapping(MAPPING)
    with tempfile.TemporaryDirectory() as place:
        for number in numbers:
            ending, content, rows = maker.file(number)
            path = Path(place) / f"odd{ending}"
            path.write_bytes(content)
            whole = rows or number % WHOLE == 0

            def run(path: Path = path, whole: bool = whole) -> str:
                if whole:
                    report = import_dataset([path], mapping, Path(place) / "out", dry_run=True)
                    return "imported, some rows refused" if len(report.rejects) else "imported"
                engine = engine_named()
                try:
                    source = read_source(engine, path)
                    collected(source.frame)
                finally:
                    engine.close()
                return "read, some rows refused" if source.broken else "read"

            tried("files", number, run, outcome)
            path.unlink()
    return outcome


# -- TOML ---------------------------------------------------------------------------------------------

_ODD_VALUES: tuple[Any, ...] = (
    "", "x", "%Y", "%", "a'b", "(", "(?=x)", -1, 0, 10**30, 1e400, float("nan"), True, [], ["x"], [1], {}, {"a": {}}, [[[]]],
    {"column": "mode"}, {"constant": 1}, {"row": "x"}, {"fiscal_year": "a", "month": "b"}, {"column": "x", "remove": "("},
)  # fmt: skip


def _seeds() -> dict[str, str]:
    return {
        "mapping": (DATA_FOLDER / "mappings" / "osha_prisons.toml").read_text(encoding="utf-8"),
        "metrics": (DATA_FOLDER / "metrics.toml").read_text(encoding="utf-8"),
        "effects": (DATA_FOLDER / "effects.toml").read_text(encoding="utf-8"),
        "briefing": 'version = 1\ntitle = "T"\nsuppress = true\nas_of = 2022-01-01\n[selection]\noffice = ["Miami"]\n'
        '[[figures]]\nid = "overview.months"\ntitle = "a"\nnote = "b"\n[figures.settings]\nmetric = "hours"\n'
        '[[figures.numbers]]\nlabel = "x"\nkind = "share"\nvalue = 0.5\n',
        "notes": '[note.V1]\ntext = "x"\nwritten = 2026-01-02T03:04:05Z\n',
    }


_READERS: dict[str, Callable[[Path], object]] = {
    "mapping": read_mapping,
    # Metrics are the project's own; as a mapping or a briefing they are just another wrong file.
    "metrics": read_mapping,
    "effects": read_effects,
    "briefing": read_briefing,
    "notes": lambda path: _notes(path),
}


def _notes(path: Path) -> object:
    try:
        return parsed_notes(path.read_text(encoding="utf-8", errors="replace"))
    except ValueError as error:
        raise AnalysisError(str(error)) from error


def fuzz_toml(numbers: Iterable[int]) -> Outcome:
    """Read TOML files whose bytes or values were changed."""
    import tomllib

    outcome, seeds = Outcome(), _seeds()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "odd.toml"
        for number in numbers:
            draw = random.Random(number)
            kind = draw.choice(list(seeds))
            if draw.random() < 0.6:
                values = tomllib.loads(seeds[kind])
                for _ in range(draw.choice([1, 1, 3])):
                    _change_value(draw, values)
                path.write_text(tomli_w.dumps(values), encoding="utf-8")
            else:
                path.write_bytes(changed(draw, seeds[kind].encode()))

            def run(kind: str = kind) -> str:
                _READERS[kind](path)
                return f"{kind} read"

            tried("toml", number, run, outcome)
    return outcome


def _change_value(draw: random.Random, values: Any) -> None:
    while isinstance(values, dict | list) and values:
        key = draw.choice(list(values)) if isinstance(values, dict) else draw.randrange(len(values))
        inner = values[key]
        if not isinstance(inner, dict | list) or not inner or draw.random() < 0.25:
            if draw.random() < 0.2:
                del values[key]
            elif draw.random() < 0.2 and isinstance(values, dict):
                values[draw.choice(["x", "columns", "values", "file", "constant", "a b", ""])] = draw.choice(
                    _ODD_VALUES
                )
            else:
                values[key] = copy.deepcopy(draw.choice(_ODD_VALUES))
            return
        values = inner


# -- addresses ----------------------------------------------------------------------------------------

_DAYS = (
    "0001-01-01",
    "9999-12-31",
    "2020-02-30",
    "2020-W01-1",
    "20200101",
    "1969-12-31",
    "2021-06-30",
    "-1",
    "2020-01-01T00:00",
)


def query_of(draw: random.Random, dataset: Dataset) -> dict[str, list[str]]:
    """Parameters of an address: some that are meant, some that nobody means."""
    options = dict(LISTS.values())
    query: dict[str, list[str]] = {}
    for _ in range(draw.randrange(1, 5)):
        option = draw.choice(
            [*options, "from", "to", "small", "part", "dataset", "metric", "x", "", "office "]
        )
        known = dataset.vocabulary(options[option]) if option in options else _DAYS
        values = [draw.choice([*known, *ODD_TEXTS]) for _ in range(draw.choice([1, 1, 2, 50]))]
        query.setdefault(option, []).extend(values)
    return query


def fuzz_addresses(numbers: Iterable[int], dataset: Dataset) -> Outcome:
    """Read parameters of addresses; what is understood must stand in an address again and say itself in words."""
    from analysis.questions.overview import overview

    outcome = Outcome()
    for number in numbers:
        draw = random.Random(number)
        query = query_of(draw, dataset)

        def run(query: dict[str, list[str]] = query, ask: bool = number % 25 == 0) -> str:
            selection, ignored = Selection.from_query(query, dataset)
            again, nothing = Selection.from_query(selection.to_query(), dataset)
            if again != selection or nothing:
                raise ValueError(f"{selection} is {again} when read again")
            selection.words(dataset)
            if ask:
                overview(dataset, selection=selection.checked(dataset)).to_dict()
            return "understood in part" if ignored else "understood"

        tried("addresses", number, run, outcome)
    return outcome


# -- command line -------------------------------------------------------------------------------------

_WORDS = (
    "--json", "--to", "--from", "--until", "--metric", "--by", "--margin", "--office", "--mode", "--suppress", "--dry-run", "--append",
    "--mapping", "--engine", "--template", "--seed", "--validations", "--effects", "--help", "-h", "--", "-", "--=", "--mode=virtual",
)  # fmt: skip
_COMMANDS = (
    "demo",
    "import",
    "check",
    "compare",
    "brief",
    "part",
    "explode",
    "",
    *(each.command for each in QUESTIONS),
)


def arguments_of(draw: random.Random, dataset: Path, place: Path) -> list[str]:
    """Arguments as somebody in a hurry, or in bad faith, might write them."""
    values = (
        str(dataset), str(place / "absent"), str(place / "file.csv"), str(place), str(place / "map.toml"), "any_must_deficiency", "hours",
        "category", "month", "virtual", "Miami", "0.05", "-0.05", "1e400", "nan", "2021-01-01", "2021-13-01", "0001-01-01", "9999-12-31",
        "duckdb", "pandas", "local[0]", "spark://x", "postgresql://u:secret@127.0.0.1:1/d", "mysql://u:secret@h/d", "9" * 5000, "-1", "x" * 300,
        str(place / "out.html"), str(place / "out.exe"), "1", "0",
    )  # fmt: skip
    command = draw.choice(_COMMANDS)
    given = [command]
    if command not in ("demo", "import", "") and draw.random() < 0.8:
        given.append(str(dataset))
    for _ in range(draw.randrange(7)):
        word = draw.choice(
            [draw.choice(_WORDS), draw.choice(values), draw.choice(ODD_TEXTS).replace("\x00", "")]
        )
        given.append(word)
    # Making thousands of validations is slow and breaks nothing.
    return [*given, "--validations", "nothing"] if command == "demo" else given


def fuzz_commands(numbers: Iterable[int], dataset: Path) -> Outcome:
    """Run the command line: status 0 or 2, one sentence on standard error, no password in either."""
    outcome = Outcome()
    for number in numbers:
        draw = random.Random(number)
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "file.csv").write_text("validation_id,member_id\n1,2\n", encoding="utf-8")
            (Path(place) / "map.toml").write_text(tomli_w.dumps(MAPPING), encoding="utf-8")
            arguments = arguments_of(draw, dataset, Path(place))

            def run(arguments: list[str] = arguments) -> str:
                out, err = io.StringIO(), io.StringIO()
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                    try:
                        status = main(arguments)
                    except SystemExit as ended:
                        status = int(ended.code or 0)
                said = err.getvalue()
                if status not in (0, 2) or "Traceback" in said or "secret" in said + out.getvalue():
                    raise ValueError(f"{arguments}: status {status}, {said[-200:]}")
                if status == 2 and said.count("error: ") < 1:
                    raise ValueError(f"{arguments}: status 2 without a sentence")
                return f"status {status}"

            tried("commands", number, run, outcome)
    return outcome


if __name__ == "__main__":
    which, chosen = sys.argv[1], [int(sys.argv[2])]
    if which == "files":
        ending, content, _ = Maker().file(chosen[0])
        Path(f"odd{ending}").write_bytes(content)
        print(f"written to odd{ending}", fuzz_files(chosen))
    elif which == "toml":
        print(fuzz_toml(chosen))
    elif which == "addresses":
        print(fuzz_addresses(chosen, open_dataset(DATA_FOLDER / "demo")))
    else:
        print(arguments_of(random.Random(chosen[0]), DATA_FOLDER / "demo", Path("place")))
        print(fuzz_commands(chosen, DATA_FOLDER / "demo"))
