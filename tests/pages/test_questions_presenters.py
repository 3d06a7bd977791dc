"""What a presenter asks (questions 21–25 of the 25): on the pages, on a slide, and counted again from source rows."""

from __future__ import annotations

import io
import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
from pptx import Presentation

from analysis import open_dataset
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import read_mapping
from analysis.datasets.opening import Dataset
from analysis.report.briefing import Briefing, Entry
from analysis.report.content import content_of, saved
from tests.pages.conftest import ROOT
from tests.pages.screens import DEMO, Screen, of, points, seen
from tests.pages.second_way import MUST, both_modes, by_mode, in_window, rows_of, standardised
from tests.pages.test_questions_leadership import ADDRESS, FILTERS

MODES = {"virtual": "Virtual", "in_person": "In person"}


def test_q21_one_slide_with_difference_interval_n_and_caveat() -> None:
    """Can the answer be taken along on one slide that says how sure it is, of how many, and what to keep in mind?"""
    screen = Screen("virtual_vs_in_person.py", ADDRESS)
    screen.do(lambda app: app.button(key="add-virtual_vs_in_person-verdict").click().run())
    screen.go("briefing.py")
    assert "1 figure in this briefing" in screen.words
    assert screen.app.selectbox(key="briefing-format").value == ".pptx"
    screen.do(lambda app: app.button(key="make-briefing").click().run())
    slides = [
        " ".join(" ".join(shape.text_frame.text.split()) for shape in slide.shapes if shape.has_text_frame)
        for slide in Presentation(io.BytesIO(screen.app.session_state["briefing-made"][1])).slides
    ]
    window = in_window(both_modes(FILTERS))
    again = standardised(window, window[MUST])
    interval = f"{points(again['low'])} to {points(again['high'])}"
    (slide,) = (text for text in slides if interval in text)
    counts = by_mode(both_modes(FILTERS), MUST)
    for said in (
        points(again["gap"]),
        *counts.values(),
        "SYNTHETIC",
        "Fewer findings can mean a better member",
    ):
        assert said in slide and said in screen.words


def test_q22_what_changed_since_the_last_briefing(small_demo: Dataset) -> None:
    """Opened on newer data, does a saved briefing say what its numbers were then, and are now?"""
    query = {"from": ("2021-01-01",)}
    earlier = Briefing("Where we stand", (Entry("overview.statistics"),), query)
    file = saved(earlier, content_of(earlier, small_demo), small_demo).to_toml()
    screen = Screen("briefing.py", {})
    upload = [("then.toml", file.encode(), "application/toml")]
    screen.do(lambda app: app.file_uploader(key="briefing-file").set_value(upload).run())
    table = screen.table("Number", "Then", "Now")
    visits = pd.read_parquet(small_demo.path / "source" / "validations.parquet")
    then, now = (
        visits[pd.to_datetime(visits["conducted_on"]) >= "2021-01-01"],
        rows_of("validations", {"from_": "2021-01-01"}),
    )
    (row,) = table[table["Number"].str.endswith("Validations completed")].to_dict("records")
    assert (row["Then"], row["Now"]) == (f"{len(then):,}", f"{len(now):,}")
    assert row["Change"].startswith(f"+{len(now) - len(then):,}")
    beyond = table["Change"].str.contains("beyond").sum()
    assert f"{len(table)} numbers changed since, {beyond} beyond noise" in screen.words


def test_q23_whether_a_chart_can_be_made_again_next_month() -> None:
    """Do the lines a figure offers make the same figure again, with the quarters that source rows give?"""
    screen = seen("virtual_vs_in_person.py", ADDRESS)
    screen.do(lambda app: app.button(key="see-code-virtual_vs_in_person-tracking").click().run())
    (code,) = (block.value for block in screen.app.code)
    scope: dict[str, Any] = {}
    screen.do(lambda _: exec(code.replace("\nfigure(", "\nmade = figure("), scope))
    shown = screen.figure("virtual_vs_in_person.tracking")
    made = scope["made"]
    assert made.table.astype(str).to_numpy().tolist() == shown.table.to_numpy().tolist()
    assert made.title in shown.words
    counts = both_modes(FILTERS).groupby(["quarter", "mode"])[[MUST, "n"]].sum()
    for quarter, row in zip(
        sorted(counts.index.unique("quarter")), shown.table.to_dict("records"), strict=True
    ):
        for mode, label in MODES.items():
            y, n = counts.loc[(quarter, mode)] if (quarter, mode) in counts.index else (0, 0)
            assert row[f"{label}, n"] == (of(y, n) if n else "–")


def test_q24_which_number_will_be_challenged_and_where_it_comes_from() -> None:
    """What will be said of n and of the interval; and do their captions hold what the source rows give?"""
    challenges = seen("methods.py", {"office": "Houston"}).figure("methods.challenges")
    assert challenges.row("n")["Comes from"] == "left_out of the answer"
    assert "specialist_id" in challenges.row("The interval")["Comes from"]
    caption = seen("virtual_vs_in_person.py", ADDRESS).figure("virtual_vs_in_person.ways").words
    chosen = both_modes(FILTERS)
    window = in_window(chosen)
    others = rows_of("validations", FILTERS)["mode"].value_counts()
    assert (
        f"Left out: {others['hybrid']} hybrid, {others['mutual_recognition']} done by another country's program and "
        f"{len(chosen) - len(window)} in quarters when only one mode was in use" in caption
    )
    assert f"clustered by specialist ({window['specialist_id'].nunique()})" in caption
    # The margin will be challenged too: it comes from one file.
    with open(ROOT / "data" / "metrics.toml", "rb") as file:
        margin = tomllib.load(file)["metric"][MUST]["margin"]
    verdict = seen("virtual_vs_in_person.py", ADDRESS).figure("virtual_vs_in_person.verdict").words
    assert "data/metrics.toml" in challenges.row("The verdict")["Comes from"]
    assert f"illustrative {100 * margin:g}-point margin" in verdict


def test_q25_whether_this_is_real_or_synthetic(tmp_path: Path) -> None:
    """Is it said that the demo is invented and which rows it holds, and not said of real rows?"""
    screen = Screen("data.py", {"office": "Houston"})
    screen.open_tables()
    loaded = screen.figure("data.loaded").column("Loaded")
    sizes = {path.stem: len(pd.read_parquet(path)) for path in (DEMO / "source").glob("*.parquet")}
    found = {
        name.replace(" ", "_"): int(n.replace(",", ""))
        for n, name in re.findall(r"([\d,]+) ([a-z ]+)", loaded["Rows"])
    }
    assert loaded["Synthetic"].startswith("Yes") and found == sizes
    assert loaded["Fingerprint"] == open_dataset(DEMO).fingerprint
    offices = screen.figure("data.completeness").column("Validations")
    assert offices == {"Houston": f"{len(rows_of('validations', {'office': 'Houston'})):,}"}
    for page in ("overview.py", "incidents.py"):
        screen.go(page)
        figures = [each.words for each in screen.figures()]
        assert screen.words.startswith("SYNTHETIC") and figures
        assert all("SYNTHETIC" in words or "PUBLISHED" in words for words in figures)
    mapping = read_mapping(ROOT / "data" / "mappings" / "osha_prisons.toml")
    import_dataset([ROOT / "tests" / "data" / "inspections.csv"], mapping, tmp_path / "inspections")
    real = Screen("data.py", {}, datasets=str(tmp_path / "inspections"))
    real.open_tables()
    assert "SYNTHETIC" not in real.words
    assert not real.figure("data.loaded").column("Loaded")["Synthetic"].startswith("Yes")
