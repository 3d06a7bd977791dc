"""One run of the whole benchmark: six groups side by side, a report, and a picture of cost against rows."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.bench import building, changing, filtering, profiling, sizes
from tests.bench.timing import Row, faster, within

REPORT = Path(__file__).parent / "reports" / "bench.json"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "validation-analysis-bench"
PACKAGES = ("pandas", "polars", "duckdb", "narwhals", "numpy", "statsmodels", "streamlit", "pyarrow")
GROUPS = ("filters", "building", "statistics", "pages", "browser", "cold")
HIGHER = ("filter_M", "filter_L", "polars_L", "floor_L", "score_ci", "newcombe", "comparison_M")
"""Ratios of the peer's time to ours; the others are ours to a yardstick's."""
OF_FILTERS = {"filter_M": "M", "filter_L": "L", "polars_L": "L", "floor_L": "L", "growth_S_L": "L"}
"""Ratios of filter changes, and the size of our own time in them."""
RATIOS = (*HIGHER, "growth_S_L", "build_L", "browser", "cold")

Tell = Callable[[str], None]


def run(
    chosen: Sequence[str], rounds: int, cache: Path, tell: Tell, groups: Sequence[str] = GROUPS
) -> dict[str, Any]:
    """Measure what was asked for.

    Parameters
    ----------
    chosen : sequence of str
        Sizes, of ``S``, ``M``, ``L``; a ratio whose size is not among them is not in the report.
    rounds : int
    cache : Path
        Where the prepared datasets are kept from run to run.
    tell : callable
        Told each step in words.
    groups : sequence of str
        Which of `GROUPS` to measure.
    """
    under_way = cache / "under_way.json"
    folders = {size: sizes.prepared(size, cache, tell) for size in chosen}
    report: dict[str, Any] = {
        "machine": machine(),
        "versions": {name: _version(name) for name in PACKAGES},
        "rounds": rounds,
        "sizes": {size: sizes.described(size, cache) for size in chosen},
        "filters": {},
        "ratios": {},
    }
    ratios: dict[str, Row] = report["ratios"]

    def step(words: str) -> None:
        # A run takes most of an hour: what was measured before something broke can be read all the same.
        write(report, under_way)
        tell(words)

    if "filters" in groups:
        for size, folder in folders.items():
            tell(f"filter changes at {size}")
            ways = filtering.worth_asking(report["filters"].get("M") if size == "L" else None)
            report["filters"][size] = filtering.timed(folder, rounds, tell, ways)
        ratios |= filter_ratios(report["filters"])
        report["polars_M"] = _polars(report["filters"].get("M"))
    if "building" in groups and "L" in folders:
        step("cells of L")
        built = building.timed(folders["L"], min(rounds, 3), tell)
        report["building"] = built
        ratios["build_L"] = within(built["ours"]["wall_s"], built["DuckDB"]["wall_s"], 3)
    if "statistics" in groups:
        from tests.bench import statistics_from_counts

        step("intervals")
        ratios |= statistics_from_counts.intervals(rounds)
        if "M" in folders:
            step("a whole comparison of a million validations")
            ratios["comparison_M"] = statistics_from_counts.comparison(folders["M"], rounds)
    if "pages" in groups:
        step("a filter change on every page")
        report["changes"] = changing.timed(folders, rounds, tell)
    biggest = next((folders[size] for size in ("M", "L", "S") if size in folders), None)
    if "browser" in groups and biggest is not None:
        from tests.bench import browsing

        step("filter changes in the browser")
        pages = browsing.filter_changes(biggest, rounds, tell)
        worst = max(pages, key=lambda name: pages[name]["computed_s"] / pages[name]["constant_s"])
        report["pages"] = pages
        ratios["browser"] = within(
            pages[worst]["computed_s"], pages[worst]["constant_s"], 1.5,
            page=worst, most_bytes=max(page["most_bytes"] for page in pages.values()),
        )  # fmt: skip
    if "cold" in groups:
        from tests.bench import browsing

        step("cold starts")
        starts = browsing.cold_starts(rounds, tell)
        report["cold"] = starts
        ratios["cold"] = within(starts["ours"]["wall_s"], starts["one chart"]["wall_s"], 1.5)
    report["load_after"] = round(os.getloadavg()[0], 2)
    report["ratios"] = {
        name: ratios[name] | {"reason": reason(name, report)} for name in RATIOS if name in ratios
    }
    step("profiles of what falls short")
    report["profiles"] = _profiles(report["ratios"], folders)
    return report


def _profiles(ratios: dict[str, Row], folders: dict[str, Path]) -> dict[str, profiling.Profile]:
    short = [name for name, row in ratios.items() if not reaches(name, row)]
    out: dict[str, profiling.Profile] = {}
    for name in short:
        if name in OF_FILTERS:
            out[name] = profiling.of_filters(folders[OF_FILTERS[name]])
        elif name == "comparison_M":
            out[name] = profiling.of_comparison(folders["M"])
        elif name == "browser":
            out[name] = profiling.of_page(
                folders.get("M", next(iter(folders.values()))), ratios[name]["page"]
            )
        elif name == "cold":
            out[name] = profiling.of_start()
    return out


def filter_ratios(found: dict[str, Any]) -> dict[str, Row]:
    """What filter changes say about us, of the sizes measured."""
    out: dict[str, Row] = {}
    for size, wanted in (("M", 10), ("L", 50)):
        if size in found:
            out[f"filter_{size}"] = faster(
                found[size]["ours"]["wall_s"],
                found[size][filtering.fastest_pandas(found[size])]["wall_s"],
                wanted,
            )
    if "L" in found:
        ours = found["L"]["ours"]["wall_s"]
        if (polars := _polars(found["L"])) is not None:
            out["polars_L"] = polars
        out["floor_L"] = faster(ours, found["L"]["floor"]["wall_s"], 1)
        if "S" in found:
            out["growth_S_L"] = within(ours, found["S"]["ours"]["wall_s"], 33)
    return out


def _polars(found: dict[str, Any] | None) -> Row | None:
    if found is None or "absent" in found["polars"]:
        return None
    return faster(found["ours"]["wall_s"], found["polars"]["wall_s"], 3)


def reaches(name: str, row: Row) -> bool:
    """Whether a ratio is as good as wanted."""
    return bool(row["reached"] >= row["wanted"] if name in HIGHER else row["reached"] <= row["wanted"])


def reason(name: str, report: dict[str, Any]) -> str:
    """Why a ratio falls short, from what was measured beside it; empty where it does not."""
    row = report["ratios"][name]
    if reaches(name, row):
        return ""
    parts = []
    if name in OF_FILTERS:
        by_filters = report["filters"][OF_FILTERS[name]]["ours"]["by_filters"]
        slowest = max(by_filters, key=lambda one: one["wall_s"])
        parts.append(
            f"the slowest filters are {', '.join(slowest['filters'])} ({slowest['wall_s'] * 1000:.0f} ms)"
        )
        parts.append(f"processor seconds: ours {report['filters'][name[-1]]['ours']['cpu_s']:.3f}")
        if name == "polars_L":
            parts.append(f"polars {report['filters']['L']['polars']['cpu_s']:.3f} on {os.cpu_count()} cores")
    elif name == "build_L":
        ours, theirs = (report["building"][way]["tables"] for way in ("ours", "DuckDB"))
        most = max(ours, key=lambda table: ours[table] - theirs[table])
        parts.append(
            f"most of it is {most}: {ours[most]:.1f} s sorted, compressed and written, against {theirs[most]:.1f} s grouped only"
        )
    elif name == "browser":
        page = report["pages"][row["page"]]
        parts.append(
            f"{row['page']} computes for {page['computed_s'] - page['constant_s']:.2f} s beside {page['constant_s']:.2f} s of drawing"
        )
    elif name == "cold":
        parts.append(
            f"{row['a_s'] - row['b_s']:.1f} s of imports, opening and a page of several figures beside one chart"
        )
    elif name == "comparison_M":
        ours, rows = row["cpu_s"]
        parts.append(f"of processor seconds {ours:.2f} against {rows:.1f}; the profile is of one comparison")
    load = max(report["machine"]["load"], report["load_after"])
    if load > (os.cpu_count() or 1):
        parts.append(f"measured on a busy machine (load {load:.1f} on {os.cpu_count()} cores)")
    return "; ".join(parts)


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def write(report: dict[str, Any], to: Path) -> None:
    """The report as JSON, a few digits of each number."""
    to.parent.mkdir(parents=True, exist_ok=True)
    aside = to.with_name(to.name + ".new")
    aside.write_text(json.dumps(_short(report), indent=2) + "\n", encoding="utf-8")
    shutil.move(aside, to)


def sentences(report: dict[str, Any]) -> list[str]:
    """Each ratio in a line."""
    return [
        f"{'ok  ' if reaches(name, row) else 'short'} {name}: {row['reached']:.3g} "
        f"({'at least' if name in HIGHER else 'at most'} {row['wanted']:g} wanted), "
        f"{row['a_s']:.4g} s against {row['b_s']:.4g} s{'; ' + row['reason'] if row['reason'] else ''}"
        for name, row in report["ratios"].items()
    ]


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_short(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
