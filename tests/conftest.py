"""What every test may ask for: the demo, a small demo, and the shared folder outside the repository.

With ``CTPAT_REQUIRE=all`` a skipped test is a failed one, except where data outside the repository are missing.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from analysis.datasets.demo.making import make_demo
from analysis.datasets.opening import Dataset, open_dataset
from tests.twisting import twisted

pytest_plugins = ("tests.browser.visiting",)

ROOT = Path(__file__).resolve().parent.parent
SHARED_MISSING = "CTPAT_SHARED"
"""How the reason of a skip begins when data outside the repository are missing: the one skip always allowed."""

# Time per example says nothing on a shared machine; the same examples every time make a failure repeatable.
settings.register_profile(
    "project",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("project")


def everything_required() -> bool:
    """Whether a test that cannot run is a failure."""
    return os.environ.get("CTPAT_REQUIRE") == "all"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure where everything is required."""
    report = yield
    if everything_required() and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if SHARED_MISSING not in reason:
            report.outcome = "failed"
            report.longrepr = f"CTPAT_REQUIRE=all, but skipped: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into a failure where everything is required."""
    report = yield
    if everything_required() and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if SHARED_MISSING not in reason:
            report.outcome = "failed"
            report.longrepr = f"CTPAT_REQUIRE=all, but skipped: {reason}"
    return report


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The committed demo, or one like it where it has not been made yet."""
    committed = ROOT / "data" / "demo"
    if not (committed / "dataset.toml").is_file():
        committed = tmp_path_factory.mktemp("datasets") / "demo"
        make_demo(committed)
    return open_dataset(committed)


@pytest.fixture(scope="session")
def small_demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of 600 validations: small enough to count again in plain pandas. Never write into it."""
    folder = tmp_path_factory.mktemp("datasets") / "small_demo"
    make_demo(folder, validations=600)
    return folder


@pytest.fixture(scope="session")
def small_demo(small_demo_folder: Path) -> Dataset:
    """The small demo, open."""
    return open_dataset(small_demo_folder)


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Data outside the repository; the test is skipped, saying so, where there are none."""
    folder = Path(os.environ.get("CTPAT_SHARED", ROOT.parent / "shared"))
    if not (folder / "realdata").is_dir():
        pytest.skip(f"{SHARED_MISSING}: no data outside the repository at {folder.name}")
    return folder


@pytest.fixture(scope="session")
def twisted_demo(small_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The small demo made difficult: nulls, same-day records, left members, weights, dated applicability."""
    return open_dataset(twisted(small_demo_folder, tmp_path_factory.mktemp("datasets") / "twisted"))
