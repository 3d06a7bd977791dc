"""Statistics: pure numbers in, results out. No table, engine, page or file is known here."""
