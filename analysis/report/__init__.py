"""Briefings: a small file that names figures, and the same numbers on slides, paper, web page, workbook and notebook."""
