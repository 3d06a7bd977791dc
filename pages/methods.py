"""How is every number made, and what can it not say?"""

from analysis.methods.parts import parts, sentence
from pages._ui import figure, page

view = page.begin("Methods")
page.answer(sentence())
page.contents(parts())
headings = {}
for anchor in parts():
    headings[anchor] = page.space()
    figure.show(f"methods.{anchor}", view)
# Last, so that a link to one of them scrolls to where it stays.
for anchor, words in parts().items():
    with headings[anchor]:
        page.heading(words, anchor)
