"""What to show at a briefing: the figures collected, and what changed since the last one."""

from pages._ui import briefings, page

view = page.begin("Briefing")
page.answer(briefings.sentence(view))
briefings.start(view)
briefings.collected(view)
briefings.export(view)
