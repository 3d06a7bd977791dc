"""How is every number made, and what can it not say?"""

from analysis.methods.parts import parts, sentence
from pages._ui import figure, page

view = page.begin("Methods")
page.answer(sentence())
# A link asks for a part by name and finds it first: a place further down would move while the page is drawn.
shown = parts(first=page.asked_part())
page.contents(shown)
for anchor, words in shown.items():
    page.heading(words, anchor)
    figure.show(f"methods.{anchor}", view)
