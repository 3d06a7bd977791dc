"""Pictures that are taken along: they say what they show, also where nothing may be shown."""

from __future__ import annotations

from analysis import Dataset, Selection, figure
from analysis.report.pictures import framed_png, framed_svg

FEW = Selection(offices=("Miami",), kinds=("initial",))


def test_what_may_not_leave_the_house_is_a_picture_and_a_file_that_say_why(small_demo: Dataset) -> None:
    shown = figure("overview.months", small_demo, FEW)
    leaving = figure("overview.months", small_demo, FEW, suppress=True)
    assert shown.chart is not None and leaving.state is not None
    drawn = framed_svg(leaving)
    assert leaving.state.fact.rstrip(".") in drawn.replace("&#39;", "'") and "SYNTHETIC" in drawn
    assert framed_png(leaving).startswith(b"\x89PNG")
    assert leaving.state.fact in leaving.to_csv() and "SYNTHETIC" in leaving.to_csv()
