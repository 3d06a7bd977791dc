"""The pages of the app; the shell (`_shell.py`) runs them."""
