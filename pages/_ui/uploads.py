"""Load your own: files → a guessed mapping to edit → what would happen → import → open; and what to download."""

from __future__ import annotations

import hashlib
import logging
import tomllib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from analysis.charts.figure import State, csv_of
from analysis.charts.markup import element, text
from analysis.charts.tables import plain_table
from analysis.datasets.guessing import Look, guess_mapping, look_at, mapping_text, template
from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import ImportMapping, parsed_mapping
from analysis.datasets.packing import packed
from analysis.errors import AnalysisError
from analysis.figures import figure
from analysis.questions.imports import import_counts, import_reasons, import_sentence
from analysis.questions.quality import rejected_rows
from analysis.schema import DATA_FOLDER, REFERENCE_TABLES, TABLES
from analysis.toml import parsed_toml
from pages._ui import datasets, mapping_form, own, page
from pages._ui.states import in_words, show_state

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

KINDS = ("csv", "txt", "tsv", "xlsx", "xlsm", "parquet")
_DRAFT, _PREVIEW, _DONE = "own-draft", "own-preview", "own-done"
_log = logging.getLogger(__name__)


def draw() -> None:
    """The whole way from files to an open dataset."""
    if done := st.session_state.get(_DONE):
        page.note(done)
    st.write(
        "Files stay in this browser session: nobody else sees them, and they are removed when it ends – "
        "when the page is closed or loaded anew. "
        "To keep a dataset, download it; to share one, an operator names its folder at start."
    )
    given = st.file_uploader(
        "Files with your records (CSV, Excel or Parquet; several at once)",
        type=list(KINDS), accept_multiple_files=True, key="own-files",
    )  # fmt: skip
    if not given:
        st.session_state.pop(_DRAFT, None)
        return
    try:
        draft = _draft([(file.file_id, file.name, file.getvalue) for file in given])
    except Exception as error:
        # Whatever is in the files: it is said in the box, and the page goes on.
        _say("These files cannot be read.", error, "own-read")
        return
    _mapping_file(draft)
    raw = mapping_form.edited(draft["base"], draft["looks"], draft["version"])
    _as_text(draft, raw)
    _preview_and_import(draft, raw)


def download(dataset: Dataset) -> None:
    """The open dataset as a zip."""
    name = f"{dataset.path.name}{'-SYNTHETIC' if dataset.synthetic else ''}.zip"
    st.download_button(
        "Download this dataset (zip)", lambda: packed(dataset.path), file_name=name, mime="application/zip",
        key="own-zip", icon=":material/folder_zip:", on_click="ignore",
    )  # fmt: skip


def rejected(dataset: Dataset) -> None:
    """The rows that import rejected, one by one, for whoever mends the source."""
    if not rejected_rows(dataset).n:
        return
    st.download_button(
        "Download rejected rows (CSV)", lambda: figure("data.rejects", dataset).to_csv(),
        file_name=f"{dataset.path.name}-rejected.csv", mime="text/csv", key="own-rejected", icon=":material/csv:",
        on_click="ignore",
    )  # fmt: skip


def templates() -> None:
    """Header rows of our tables, and worked mappings."""
    st.write(
        "A file in these columns needs no mapping of its own: the guess is right. Required columns are in the data dictionary."
    )
    with st.container(horizontal=True, key="own-templates"):
        for name in TABLES:
            if name not in REFERENCE_TABLES:
                _template(f"{name}.csv", template(name), "text/csv")
        for path in sorted((DATA_FOLDER / "mappings").glob("*.toml")):
            _template(path.name, path.read_text(encoding="utf-8"), "application/toml")


def _template(name: str, content: str, mime: str) -> None:
    st.download_button(
        name, content, file_name=name, mime=mime, key=f"template-{name}", type="tertiary", on_click="ignore"
    )


def _draft(given: Sequence[tuple[str, str, Any]]) -> dict[str, Any]:
    """The files as received, what they look like, and the mapping to begin with: made once for the same files."""
    ids = tuple(file_id for file_id, _, _ in given)
    draft: dict[str, Any] | None = st.session_state.get(_DRAFT)
    if draft and draft["ids"] == ids:
        return draft
    st.session_state.pop(_DRAFT, None)
    with st.spinner("Reading the files"):
        paths = own.received([(name, content()) for _, name, content in given])
        looks: list[Look] = [look_at(path) for path in paths]
    base = guess_mapping(looks, name=_titled(paths[0]) if len(paths) == 1 else "My data")
    draft = {"ids": ids, "paths": paths, "looks": looks, "base": base, "version": _next_version()}
    st.session_state[_DRAFT] = draft
    return draft


def _next_version() -> int:
    st.session_state["own-version"] = st.session_state.get("own-version", 0) + 1
    return int(st.session_state["own-version"])


def _titled(path: Path) -> str:
    return path.stem.replace("_", " ").replace("-", " ").strip()[:80] or "My data"


def _mapping_file(draft: dict[str, Any]) -> None:
    rows = sum(look.rows for look in draft["looks"])
    page.note(
        f"{rows:,} rows in {len(draft['looks'])} file{'' if len(draft['looks']) == 1 else 's'}. "
        "The mapping below is a guess from names and values: look through it, or take one you have."
    )
    file = st.file_uploader("A mapping you have (TOML)", type=["toml"], key=f"own-mapping-{draft['ids']}")
    if file is not None and draft.get("mapping_id") != file.file_id:
        draft["mapping_id"] = file.file_id
        _take(draft, file.getvalue())


def _as_text(draft: dict[str, Any], raw: dict[str, Any]) -> None:
    written = mapping_text(raw)
    with st.expander("The mapping as text (the command line takes the same)"):
        changed = st.text_area("Mapping", written, height=320, key=f"own-text-{_digest(written)}")
        with st.container(horizontal=True):
            if st.button("Use this text", key="own-use-text"):
                _take(draft, changed.encode())
                st.rerun()
            st.download_button(
                "Download the mapping", changed, file_name="mapping.toml", mime="application/toml",
                key="own-mapping-download", on_click="ignore",
            )  # fmt: skip
    if problem := draft.get("problem"):
        show_state(State("error", "This mapping cannot be used.", problem), "own-mapping")


def _take(draft: dict[str, Any], content: bytes) -> None:
    """Begin again from somebody's TOML, if it is a mapping."""
    try:
        raw = parsed_toml(content.decode("utf-8"))
        parsed_mapping(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        draft["problem"] = f"It is not a TOML file: {error}."
    except AnalysisError as error:
        draft["problem"] = f"{error}"
    else:
        draft.update(base=raw, version=_next_version(), problem="")


def _preview_and_import(draft: dict[str, Any], raw: dict[str, Any]) -> None:
    state = _digest(mapping_text(raw), *draft["ids"])
    looked = st.button("See what would happen", key="own-preview-button", type="secondary")
    if looked:
        st.session_state[_PREVIEW] = (state, _tried(draft, raw))
    seen, outcome = st.session_state.get(_PREVIEW, (None, None))
    if seen != state:
        if seen is not None:
            page.note("The mapping or the files have changed since: look again before importing.")
        return
    if isinstance(outcome, Exception):
        _say("These files cannot be imported like this.", outcome, "own-preview")
        return
    _report(outcome)
    if st.button("Import and open", key="own-import", type="primary"):
        _import(draft, raw)


def _tried(draft: dict[str, Any], raw: dict[str, Any]) -> ImportReport | Exception:
    try:
        with st.spinner("Reading and checking"):
            return import_dataset(draft["paths"], _checked(raw), own.folder() / "preview", dry_run=True)
    except Exception as error:
        # Kept with the preview, and said when that is shown.
        return error


def _checked(raw: dict[str, Any]) -> ImportMapping:
    return parsed_mapping(raw, default_name="My data")


def _import(draft: dict[str, Any], raw: dict[str, Any]) -> None:
    mapping = _checked(raw)
    reports: list[ImportReport] = []

    def write(folder: Path) -> None:
        reports.append(import_dataset(draft["paths"], mapping, folder))

    try:
        with st.spinner("Importing"):
            own.load(mapping.name, set(datasets.folders()), write)
    except Exception as error:
        # Whatever it is: what was open before stays open.
        _say("These files could not be imported.", error, "own-import")
        return
    st.session_state[_DONE] = (
        f"**{mapping.name}** is loaded, for this session only. {import_sentence(reports[0])}"
    )
    st.session_state.pop(_PREVIEW, None)
    st.rerun()


def _report(report: ImportReport) -> None:
    st.html(element("p", text(import_sentence(report)), class_="answer"))
    st.html(plain_table(import_counts(report), caption="What the import would do"))
    if items := "".join(element("li", text(reason)) for reason in import_reasons(report)):
        st.html(element("ul", items, class_="note"))
    if len(report.rejects):
        first = report.rejects.head(10).fillna("").astype(str)
        first.columns = [name.capitalize() for name in first.columns]
        st.html(plain_table(first, caption="First rejected rows", numbers=["Row"], second={"Rule": "Hint"}))
        st.download_button(
            "Download rejected rows (CSV)", csv_of(report.rejects), file_name="rejected.csv",
            mime="text/csv", key="own-rejects", on_click="ignore",
        )  # fmt: skip


def _say(fact: str, error: Exception, key: str) -> None:
    """What went wrong, in the box; the dataset shown above stays as it is."""
    if isinstance(error, AnalysisError):
        words = in_words(error)
    else:
        reference = f"{zlib.crc32(repr(error).encode()) & 0xFFFF:04X}"
        _log.error("upload, reference %s", reference, exc_info=error)
        words = f"Something unexpected happened. Reference {reference}."
    show_state(State("error", fact, f"{words} What was open before is unchanged."), key)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
