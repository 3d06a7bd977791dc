"""``python -m analysis``."""

import sys

from analysis.cli import main

if __name__ == "__main__":
    # A name that is no text in the terminal's encoding is written with its bytes, not with a traceback.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal, a file or a pipe
    sys.exit(main())
