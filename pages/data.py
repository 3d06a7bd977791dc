"""What is loaded, how good is it, and how do I load my own?"""

from analysis.questions.quality import quality
from pages._ui import choices, figure, page, uploads

view = page.begin("Data")
page.answer(page.asked(view, quality, view.dataset).sentence)
figure.show("data.loaded", view)
uploads.download(view.dataset)
figure.show("data.checks", view)
column = choices.completeness_column(view.dataset)
figure.show("data.completeness", view, column=column)
figure.show("data.rejects", view)
if not view.suppress:
    uploads.rejected(view.dataset)
page.heading("Load your own")
uploads.draw()
page.heading("Templates")
uploads.templates()
