"""Briefings: the file, what is gone, what changed, and the same numbers in every format."""

from __future__ import annotations

import dataclasses
import html
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pptx import Presentation
from pptx.util import Emu
from pypdf import PdfReader

from analysis.charts.figure import Figure
from analysis.cli import main
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import read_mapping
from analysis.datasets.opening import Dataset, open_dataset
from analysis.errors import AnalysisError
from analysis.figures.registry import figure
from analysis.questions.comparison import compare
from analysis.report.briefing import Briefing, Entry, Number, parsed_briefing
from analysis.report.changes import changes, numbers_of
from analysis.report.content import Content, content_of, saved
from analysis.report.notebook import escaped
from analysis.report.printed import caption_of, table_of, verdict_words
from analysis.report.templates import TEMPLATES
from analysis.report.writing import FORMATS, rendered, write_briefing

ROOT = Path(__file__).resolve().parents[2]
FIGURES = (
    "virtual_vs_in_person.verdict",
    "virtual_vs_in_person.ways",
    "msc_deficiencies.reasons",
    "overview.statistics",
)
NOTE = "=1+1 <b>bold</b> $x$ *star* #show </script>"


@pytest.fixture(scope="module")
def content(demo: Dataset) -> Content:
    entries = tuple(Entry(name, note=NOTE if name.endswith("ways") else "") for name in FIGURES)
    return content_of(Briefing("What we know", entries, {"from": ("2020-07-01",)}), demo)


@pytest.fixture(scope="module")
def made(content: Content) -> dict[str, bytes]:
    return {suffix: rendered(content, suffix) for suffix in FORMATS}


words = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=30)
numbers = st.builds(
    Number,
    st.text("abc ·", min_size=1, max_size=8),
    st.none() | st.floats(-9, 9),
    st.none() | st.floats(-9, 9),
    st.none(),
)


@given(
    st.builds(
        Entry, st.just("overview.months"), st.dictionaries(st.sampled_from(["metric", "by"]), st.text("abc_", max_size=9)),
        st.none() | st.just({"office": ("Miami",), "from": ("2020-07-01",)}), words, words, st.lists(numbers, max_size=3).map(tuple),
    )
)  # fmt: skip
def test_a_briefing_survives_its_file(entry: Entry) -> None:
    briefing = Briefing("Title", (entry,), {"risk": ("low",)}, "demo", "abc", suppress=False)
    assert parsed_briefing(briefing.to_toml()) == briefing


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "not valid TOML"),
        ("x = 1", "'x' is no part of a briefing"),
        ("title = 'a'\nversion = 9", "its version is 9"),
        ("title = 'a'\n[selection]\noffise = ['Miami']", "'offise' is no filter"),
        ("title = 'a'\n[[figures]]\nname = 'b'", "figure 1 needs an id"),
        ("title = 'a'\n[[figures]]\nid = 'b'\nnumbers = [{label = 'x', value = nan}]", "numbers must each"),
        ("title = 'a'\nfigures = 3", "figures must be a list"),
    ],
)
def test_what_is_no_briefing_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(AnalysisError, match=re.escape(said)):
        parsed_briefing(text, "b.toml")


def test_what_is_gone_is_named_and_the_rest_is_made(demo: Dataset) -> None:
    entries = (
        Entry("overview.months"),
        Entry("overview.vanished"),
        Entry("overview.statistics", {"colour": "red"}),
    )
    found = content_of(Briefing("T", entries, {"office": ("Miami", "Atlantis")}), demo)
    assert [sheet.entry.figure for sheet in found.sheets] == ["overview.months"]
    said = " ".join(found.problems)
    assert "office Atlantis" in said and "overview.vanished" in said and "colour" in said
    with pytest.raises(AnalysisError, match=r"overview\.vanished"):
        content_of(Briefing("T", entries[1:2]), demo)


def test_on_newer_data_it_says_what_changed(demo: Dataset, small_demo: Dataset) -> None:
    briefing = Briefing("T", (Entry("overview.statistics"),))
    first = content_of(briefing, demo)
    kept = parsed_briefing(saved(briefing, first, demo).to_toml())
    again = content_of(kept, demo)
    assert not again.changed and not any(sheet.changes for sheet in again.sheets)
    later = content_of(kept, small_demo)
    assert "saved on other data" in later.changed
    found = {change.label: change for change in later.sheets[0].changes}
    done = found["Validations completed"]
    assert (done.before, done.now) == (9000.0, 600.0)


def test_noise_is_the_two_intervals_together() -> None:
    before = [Number("a", 0.10, 0.08, 0.12), Number("gone", 1.0)]
    # Beyond the root of the sum of squares, 0.028, though the two half-widths together are 0.04.
    inside, outside = ([Number("a", value, value - 0.02, value + 0.02)] for value in (0.127, 0.133))
    assert [(c.label, c.beyond_noise) for c in changes(before, inside)] == [("a", False), ("gone", None)]
    assert changes(before, outside)[0].beyond_noise is True
    assert changes(before[:1], before[:1]) == ()


def test_numbers_are_named_by_what_they_are(demo: Dataset, content: Content) -> None:
    shown = numbers_of(content.sheets[1].figure)
    assert len({number.label for number in shown}) == len(shown) > 5
    standardised = next(n for n in shown if n.label == "Standardised (regression)")
    answer = (
        content.sheets[1].figure.data.set_index(["method", "measure"]).loc[("standardised", "difference")]
    )
    assert standardised.value == answer["estimate"] and standardised.low == answer["low"]
    assert any(n.label == "Standardised (regression), ratio" for n in shown)


def test_a_number_is_what_the_row_shows_with_its_own_interval(demo: Dataset) -> None:
    statistics = {n.label: n for n in numbers_of(figure("overview.statistics", demo))}
    reported = demo_days(demo)
    # The median in days, not how many validations it is of.
    assert statistics["Days to report, median"].value == reported
    glance = {n.label: n for n in numbers_of(figure("virtual_vs_in_person.metrics", demo))}
    headline = compare(demo, "any_must_deficiency").answer
    assert headline is not None and headline.interval is not None
    kept = glance["Validations with a Must deficiency"]
    shown = (headline.estimate, headline.interval.low, headline.interval.high)
    assert (kept.value, kept.low, kept.high) == pytest.approx(shown, rel=1e-9)
    # The limits of a lift stand beside a share in the same row.
    for lift in numbers_of(figure("incidents.earlier_deficiencies", demo)):
        assert lift.low is None or lift.low <= lift.value <= lift.high
    assert len(glance) == 18 and {n.label for n in numbers_of(figure("maritime.analyses", demo))}


def demo_days(demo: Dataset) -> float:
    rows = pd.read_parquet(
        demo.path / "source" / "validations.parquet", columns=["conducted_on", "reported_on"]
    )
    days = (pd.to_datetime(rows["reported_on"]) - pd.to_datetime(rows["conducted_on"])).dt.days
    return float(days.dropna().median())


def shown_numbers(figure: Figure) -> list[str]:
    """Cells of the table that hold a number, at most those of the first rows, which every format prints."""
    return [str(cell) for cell in table_of(figure).head(5).to_numpy().ravel() if re.search(r"\d", str(cell))]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text.replace("\u00ad", ""))


def test_slides_carry_numbers_captions_and_alternatives(content: Content, made: dict[str, bytes]) -> None:
    deck = Presentation(io.BytesIO(made[".pptx"]))
    everything, tables, pictures = [], 0, 0
    for slide in deck.slides:
        said = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
        assert any("SYNTHETIC" in text for text in said)
        assert slide.shapes.title is not None and slide.shapes.title.text_frame.text
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.top >= 0
            assert (
                shape.left + shape.width <= deck.slide_width and shape.top + shape.height <= deck.slide_height
            )
            if shape.has_table:
                tables += 1
                said += [cell.text for row in shape.table.rows for cell in row.cells]
            if shape.shape_type == 13:
                pictures += 1
                assert len(shape._element.nvPicPr.cNvPr.get("descr")) > 20
        if slide.has_notes_slide:
            said.append(slide.notes_slide.notes_text_frame.text)
        everything += said
    text = squeezed(" ".join(everything))
    assert tables >= 3 and pictures == 2
    for sheet in content.sheets:
        assert squeezed(caption_of(sheet)) in text
        assert all(squeezed(number) in text for number in shown_numbers(sheet.figure))
    assert isinstance(deck.slide_width, Emu | int)


def test_paper_carries_them(content: Content, made: dict[str, bytes]) -> None:
    pages = PdfReader(io.BytesIO(made[".pdf"])).pages
    texts = [page.extract_text() for page in pages]
    assert all("SYNTHETIC" in text.replace(" ", "") for text in texts)
    text = squeezed("".join(texts))
    for sheet in content.sheets:
        for number in shown_numbers(sheet.figure):
            if len(number) < 12:
                assert squeezed(number) in text, number
        assert squeezed(caption_of(sheet)) in text
    root = PdfReader(io.BytesIO(made[".pdf"])).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"], "a tagged PDF"
    alternatives = list(alternatives_in(root["/StructTreeRoot"]))
    assert alternatives == [s.figure.alt for s in content.sheets if s.figure.chart is not None]


def alternatives_in(element: Any) -> Iterator[str]:
    """Text alternatives of the pictures of a tagged PDF; empty where a picture has none."""
    if element.get("/S") == "/Figure":
        yield str(element.get("/Alt", ""))
    kids = element.get("/K", ())
    for kid in kids if isinstance(kids, list) else [kids]:
        if isinstance(each := kid.get_object(), dict):
            yield from alternatives_in(each)


def test_the_page_carries_them_and_asks_nothing(content: Content, made: dict[str, bytes]) -> None:
    page = made[".html"].decode("utf-8")
    body = page[page.index("<body>") : page.index("<script>", page.index("<body>"))]
    plain = squeezed(html.unescape(re.sub(r"<[^>]+>", " ", body)))
    for sheet in content.sheets:
        assert squeezed(caption_of(sheet)) in plain
        assert all(squeezed(number) in plain for number in shown_numbers(sheet.figure))
    assert re.findall(r'role="img" aria-label="([^"]*)"', body.replace("&quot;", "”"))
    charts = [sheet.figure.alt for sheet in content.sheets if sheet.figure.chart is not None]
    assert all(f'aria-label="{html.escape(alt)}"' in body for alt in charts)
    assert body.count("SYNTHETIC") > len(content.sheets)
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!#)', body.replace("xlink:href", ""))
    assert "<b>bold</b>" not in body


def test_the_workbook_carries_them(content: Content, made: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(made[".xlsx"]))
    assert len(book.sheetnames) == len(content.sheets) + 2
    for sheet, name in zip(content.sheets, book.sheetnames[1:], strict=False):
        cells = [cell for row in book[name].iter_rows() for cell in row if cell.value is not None]
        texts = {str(cell.value) for cell in cells}
        assert set(shown_numbers(sheet.figure)) <= texts
        assert any(caption_of(sheet) in text and "SYNTHETIC" in text for text in texts)
        assert all(cell.data_type != "f" for cell in cells)
        for value in sheet.figure.data.select_dtypes("number").iloc[0].dropna():
            assert any(isinstance(c.value, int | float) and c.value == pytest.approx(value) for c in cells)


def test_the_notebook_makes_the_same_figures(
    content: Content, made: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    book = nbformat.reads(made[".ipynb"].decode("utf-8"), as_version=4)
    nbformat.validate(book)
    code = [cell.source for cell in book.cells if cell.cell_type == "code"]
    assert len(code) == len(content.sheets)
    for source, sheet in zip(code, content.sheets, strict=True):
        *lines, last = source.strip().split("\n")
        names: dict[str, object] = {}
        exec("\n".join([*lines, f"made = {last}"]), names)
        again = names["made"]
        assert (
            isinstance(again, Figure)
            and again.to_csv() == sheet.figure.to_csv()
            and again.caption == sheet.figure.caption
        )
    text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert "SYNTHETIC" in text and escaped(NOTE) in text and "<b>" not in text
    assert all(escaped(caption_of(sheet)) in text for sheet in content.sheets)


def test_the_same_briefing_is_the_same_file(content: Content, made: dict[str, bytes]) -> None:
    assert rendered(content, ".ipynb") == made[".ipynb"]
    parts = [zipfile.ZipFile(io.BytesIO(data)) for data in (made[".xlsx"], rendered(content, ".xlsx"))]
    assert all(parts[0].read(name) == parts[1].read(name) for name in parts[0].namelist())


def test_no_text_leaves_its_box_in_another_program(made: dict[str, bytes], tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    import subprocess

    (tmp_path / "b.pptx").write_bytes(made[".pptx"])
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(
        [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "b.pptx")],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    deck = Presentation(io.BytesIO(made[".pptx"]))
    pages = PdfReader(tmp_path / "b.pdf").pages
    assert len(pages) == len(deck.slides)
    for page, slide in zip(pages, deck.slides, strict=True):
        scale, high = float(page.mediabox.width) / deck.slide_width, float(page.mediabox.height)
        # Rows of a table may be a little higher there, down to the rule above the footer.
        rule = next(s.top for s in slide.shapes if s.name == "Caption") * scale
        boxes = [
            (s.left * scale, s.top * scale, (s.left + s.width) * scale, rule if s.has_table else (s.top + s.height) * scale)
            for s in slide.shapes if s.has_text_frame or s.has_table
        ]  # fmt: skip
        found: list[tuple[str, float, float]] = []
        page.extract_text(visitor_text=lambda text, cm, tm, *_, to=found: to.append((text, tm[4], tm[5])))
        for text, x, up in found:
            # The baseline of every line lies in the box of some text, give or take two points.
            y = high - up
            assert not text.strip() or any(
                left - 2 <= x <= right + 2 and top <= y <= bottom + 2 for left, top, right, bottom in boxes
            ), text


def test_nothing_half_written(content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "b.ipynb"
    there.write_text("old")
    monkeypatch.setattr(
        "os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(AnalysisError, match="No space left"):
        write_briefing(content, there)
    assert there.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["b.ipynb"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_name_figures_there_are(name: str, demo: Dataset) -> None:
    from analysis.figures import registry

    briefing = TEMPLATES[name][1](demo, {})
    assert len(briefing.entries) >= 5
    assert all(entry.figure in registry() for entry in briefing.entries)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "b.doc"], "names no format"),
        (["--to", "nowhere/b.pdf"], "there is no folder nowhere"),
        (["--template", "x", "--to", "b.pdf"], "--template 'x' is not known"),
        (["missing.toml", "--to", "b.pdf"], "missing.toml cannot be read"),
    ],
)
def test_the_command_refuses_in_a_sentence(
    arguments: list[str],
    said: str,
    demo: Dataset,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = str(demo.path.resolve())
    monkeypatch.chdir(tmp_path)
    assert main(["brief", path, *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_makes_the_default(
    demo: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["brief", str(demo.path), "--to", str(tmp_path / "b.toml"), "--office", "Miami", "--json"]) == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["figures"]) >= 5 and answer["suppressed"] and not answer["problems"]
    kept = parsed_briefing((tmp_path / "b.toml").read_text(encoding="utf-8"))
    assert kept.selection == {"office": ("Miami",)} and kept.fingerprint == demo.fingerprint
    assert any(entry.numbers for entry in kept.entries)


def test_templates_speak_of_what_a_dataset_can_answer(shared_folder: Path, tmp_path: Path) -> None:
    """Real records with other arms: their names, a metric they can answer, and no share of what is hidden."""
    files = sorted((shared_folder / "realdata" / "osha_prisons").glob("*.csv"))
    import_dataset(files, read_mapping(ROOT / "data" / "mappings" / "osha_prisons.toml"), tmp_path / "osha")
    dataset = open_dataset(tmp_path / "osha")
    briefing = TEMPLATES["leadership"][1](dataset, {})
    assert briefing.title == "Complaint and Planned validations: where we stand"
    shown, whole = (
        content_of(dataclasses.replace(briefing, suppress=suppress), dataset) for suppress in (True, False)
    )
    assert not shown.synthetic and shown.tag != "SYNTHETIC"
    for found in (shown, whole):
        said = " ".join(
            [s.title + s.figure.measure + caption_of(s) + s.figure.alt + table_of(s.figure).to_csv() for s in found.sheets]
            + [words for s in found.sheets if (card := verdict_words(s.figure.card)) for words in card.values()]
        )  # fmt: skip
        assert "Complaint" in said and not re.search(r"in_person|in-person", said)
    months = next(sheet for sheet in shown.sheets if sheet.entry.figure == "overview.months")
    assert "%" not in months.title + months.figure.alt
    # 404 of 582 in the whole table, as the folder's own notes say.
    assert "69.4%" in next(s for s in whole.sheets if s.entry.figure == "overview.months").title
    deck = Presentation(io.BytesIO(rendered(shown, ".pptx")))
    assert len(deck.slides) >= 5 and sum(s.has_table for slide in deck.slides for s in slide.shapes) >= 3


def test_pictures_say_what_they_show(content: Content) -> None:
    from analysis.report.pictures import framed_svg

    drawn = framed_svg(content.sheets[1].figure)
    text = squeezed("".join(ElementTree.fromstring(drawn).itertext()))
    assert "SYNTHETIC" in text and squeezed(content.sheets[1].figure.title[:30]) in text
