"""Run a notebook in a kernel of its own, from the project's folder."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]


def executed(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with its outputs.

    Where the system has sockets in files, the kernel speaks through them: ports that were free when they were chosen
    may be taken when several tests start at once.
    """
    config = Config()
    if os.name == "posix":
        config.KernelManager.transport = "ipc"
    at_root = {"metadata": {"path": str(ROOT)}}
    NotebookClient(
        notebook, timeout=300, startup_timeout=300, kernel_name="python3", resources=at_root, config=config
    ).execute()
    return notebook
