"""How far the program can be trusted: kills, odd input, many visitors, intruders, accessibility; one table.

``python -m tests.trust.report`` runs everything and writes ``tests/bench/reports/trust.json``; ``--kills``, ``--files``
and ``--seconds`` make it shorter, ``--parts`` runs some of it again, ``--seed`` makes another run of the same kind.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analysis.datasets.demo.making import make_demo
from tests.access.guarding import guarding, not_for, sign_in
from tests.access.intruding import NOT_LET_IN, intrude
from tests.browser.visiting import Visit, browsing
from tests.trust import fuzzing, killing, visitors
from tests.trust.accessible import violations

REPORT = Path(__file__).resolve().parents[1] / "bench" / "reports" / "trust.json"
DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
SESSIONS, BROWSERS = 48, 2
WORKERS = 2


def main() -> int:
    """Run the parts, keep each when it is done, print the table; 1 where anything was found."""
    options = _options()
    print(
        f"seed {options.seed}: the same seed kills at the same moments and makes the same input", flush=True
    )
    report = _begun(options)
    for name in options.parts:
        start = time.monotonic()
        report[name] = PARTS[name](options)
        report["seconds"][name] = round(time.monotonic() - start)
        report["findings"] = _findings(report)
        # Nobody waits for half an hour twice, because the last part went wrong.
        options.to.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(report))
    return 1 if report["findings"] else 0


def _begun(options: argparse.Namespace) -> dict[str, Any]:
    """A new report, or the one that is there when only some parts are run again."""
    if set(options.parts) < set(PARTS) and options.to.is_file():
        found: dict[str, Any] = json.loads(options.to.read_text(encoding="utf-8"))
        if found["seed"] == options.seed:
            return found
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }
    return {"machine": machine, "seed": options.seed, "seconds": {}, "findings": []}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.trust.report")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument(
        "--parts", type=lambda text: text.split(","), default=list(PARTS), metavar=",".join(PARTS),
        help="only these; the others stay as the report of this seed has them",
    )  # fmt: skip
    parser.add_argument("--to", type=Path, default=REPORT)
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"there is no part '{unknown[0]}': choose among {', '.join(PARTS)}.")
    return options


def _kills(options: argparse.Namespace) -> list[dict[str, Any]]:
    _say(f"killing {options.kills} times")
    # Every act in two halves, so that both cores are at work until the end.
    parts = [
        (name, max(1, round(options.kills * share / 2)), options.seed * 10 + half)
        for name, share in killing.ACTS.items()
        for half in (0, 1)
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(lambda part: killing.kill_often(*part), parts))
    together: dict[str, killing.Killed] = {}
    for each in found:
        whole = together.setdefault(each.act, killing.Killed(each.act))
        whole.kills += each.kills
        whole.running += each.running
        whole.states += each.states
        whole.leftovers += each.leftovers
        whole.findings += each.findings
    # `asdict` would count the items of a counter.
    return [vars(each) | {"states": dict(each.states)} for each in together.values()]


def _fuzz(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    amounts: dict[str, tuple[Callable[[range], fuzzing.Outcome], int]] = {
        "files": (fuzzing.fuzz_files, options.files),
        "toml": (fuzzing.fuzz_toml, options.files),
        "addresses": (_addresses, options.files),
        "commands": (_commands, max(1, options.files // 10)),
    }
    out = {}
    with ProcessPoolExecutor(WORKERS) as pool:
        for name, (run, amount) in amounts.items():
            _say(f"trying {amount} {name}")
            first = options.seed * 1_000_000
            size = max(1, amount // 20)
            pieces = [range(at, min(at + size, first + amount)) for at in range(first, first + amount, size)]
            whole = fuzzing.Outcome()
            for part in pool.map(run, pieces):
                whole.add(part)
            out[name] = {
                "tried": sum(whole.kinds.values()),
                "outcomes": dict(whole.kinds),
                "findings": whole.findings,
            }
    return out


def _addresses(numbers: Iterable[int]) -> fuzzing.Outcome:
    return fuzzing.fuzz_addresses(numbers, fuzzing.open_dataset(DEMO))


def _commands(numbers: Iterable[int]) -> fuzzing.Outcome:
    return fuzzing.fuzz_commands(numbers, DEMO)


def _intruders(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Everything that nobody should be answered, on a small demo that asks people to sign in."""
    _say("asking for what is not one's own")
    with TemporaryDirectory() as scratch:
        dataset = Path(scratch) / "program"
        make_demo(dataset, validations=600)
        with guarding(dataset, Path(scratch)) as url, browsing() as browser:
            people = {
                person: sign_in(Visit(browser.new_context().new_page()), url, person)
                for person in ("director", "miami", *NOT_LET_IN)
            }
            forbidden = not_for("Miami", dataset)
            found = intrude(url, people, forbidden, forbidden | not_for("Houston", dataset))
            return [asdict(each) for each in found]


def _visitors(options: argparse.Namespace) -> dict[str, Any]:
    _say("holding sessions")
    return asdict(visitors.hold(options.sessions, options.seconds, browsers=BROWSERS))


def _accessibility(options: argparse.Namespace) -> dict[str, list[str]]:
    _say("looking at every page with axe")
    return violations()


PARTS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "kills": _kills,
    "fuzz": _fuzz,
    "visitors": _visitors,
    "unauthorised": _intruders,
    "accessibility": _accessibility,
}


def _findings(report: dict[str, Any]) -> list[str]:
    found = [words for each in report.get("kills", []) for words in each["findings"]]
    found += [words for each in report.get("fuzz", {}).values() for words in each["findings"]]
    found += report.get("visitors", {"findings": []})["findings"]
    found += [words for each in report.get("unauthorised", []) for words in each["findings"]]
    found += [f"{page}: {rules}" for page, rules in report.get("accessibility", {}).items() if rules]
    return found


def table(report: dict[str, Any]) -> str:
    """The report as people read it."""
    lines = [("what", "tried", "outcome")]
    for each in report.get("kills", []):
        states = ", ".join(f"{n} {state}" for state, n in sorted(each["states"].items()))
        lines.append(
            (f"kill -9: {each['act']}", f"{each['kills']} ({each['running']} while running)", f"{states}; left aside and cleared {each['leftovers']}")
        )  # fmt: skip
    for name, each in report.get("fuzz", {}).items():
        lines.append(
            (
                f"fuzz: {name}",
                f"{each['tried']}",
                ", ".join(f"{n} {what}" for what, n in sorted(each["outcomes"].items())),
            )
        )
    if who := report.get("visitors"):
        memory = (
            f"{who['memory_start']:.0f} MB, settled {who['memory_settled']:.0f}, end {who['memory_end']:.0f}"
        )
        lines.append(
            (
                f"sessions: {who['sessions']} and {who['browsers']} browsers",
                f"{who['answers']} answers in {who['seconds']:.0f} s",
                f"slowest {who['slowest']:.1f} s; memory {memory}",
            )
        )
    for each in report.get("unauthorised", []):
        lines.append((f"unauthorised: {each['route']}", f"{each['tried']}", f"{each['refused']} refused"))
    for page, rules in report.get("accessibility", {}).items():
        lines.append((f"axe: {page}", "4 screens in 4 states", ", ".join(rules) or "none of ours"))
    lines.append(("findings", f"{sum(report['seconds'].values())} s", f"{len(report['findings'])}"))
    widths = [max(len(line[i]) for line in lines) for i in range(2)]
    rows = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in lines]
    return "\n".join([*rows, *(f"  ! {words}" for words in report["findings"])])


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
