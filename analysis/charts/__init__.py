"""Charts and tables: they take results or tidy frames and draw them; they never compute."""
