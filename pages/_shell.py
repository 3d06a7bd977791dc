"""The shell round every page: look, dataset, filters, navigation."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from analysis.charts.theme import css_variables
from analysis.errors import AnalysisError
from pages._ui import access, datasets, filters, page
from pages._ui.states import in_words, show_state, state_of_page

HERE = Path(__file__).parent
ASSETS = HERE / "_ui" / "assets"

# Section → pages, as file and title. The first page of all is the one at "/".
PAGES = {
    "Results": (
        ("overview.py", "Overview"),
        ("virtual_vs_in_person.py", "Virtual vs in person"),
        ("msc_deficiencies.py", "MSC deficiencies"),
        ("incidents.py", "Incidents"),
        ("maritime.py", "Maritime"),
        ("anomalies.py", "Anomalies"),
        ("feedback.py", "Feedback"),
    ),
    "Use": (("briefing.py", "Briefing"), ("data.py", "Data"), ("methods.py", "Methods")),
}

# Before the navigation: after it, the browser would fetch an icon from elsewhere.
st.set_page_config(page_icon=ASSETS / "favicon.png", layout="wide")
st.html(f"<style>{css_variables()}{(HERE / '_ui' / 'style.css').read_text(encoding='utf-8')}</style>")
st.logo(ASSETS / "logo.svg", size="large", icon_image=ASSETS / "logo.svg")
who = access.viewer()

first = next(iter(PAGES.values()))[0][0]
navigation = st.navigation(
    {
        section: [st.Page(file, title=title, default=file == first) for file, title in entries]
        for section, entries in PAGES.items()
    }
)

with st.sidebar:
    folder = datasets.chosen(on_change=filters.forget)
    problem = ""
    try:
        dataset = datasets.shown_to(who, folder)
    except AnalysisError as error:
        problem = in_words(error)
    else:
        st.subheader("Filters", anchor=False)
        selection, ignored = filters.chosen(dataset, navigation.url_path)
        filters.reset_button("reset")
        page.keep(page.View(dataset, selection, ignored, filters.hides_small_counts()))
    access.draw_account(who)

if problem:
    st.title("This dataset cannot be opened", anchor=False)
    st.write(problem)
else:
    try:
        navigation.run()
    except Exception as error:
        # Whatever a page stumbles over: a sentence for the reader, everything else for the log.
        show_state(state_of_page(error, navigation.title), "page")
