"""TOML that somebody wrote: small, shallow, and when it cannot be read, said in words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

LARGEST = 16 * 2**20
"""Bytes of a TOML file that is read: mappings and briefings are small, notes reach some megabytes."""

DEEPEST = 32
"""How deep tables and lists may stand inside one another."""

# Python's parser needs the square of the time for a name of many parts.
_PART = r"(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+"
_MANY_PARTS = re.compile(rf"(?<![\w-])(?:{_PART}){{{DEEPEST + 1}}}")


def parsed_toml(text: str) -> dict[str, Any]:
    """The values of a TOML text.

    Raises
    ------
    tomllib.TOMLDecodeError
        For every text that cannot be used, also where Python's own parser gives up in another way.

    >>> parsed_toml("a = 1")
    {'a': 1}
    """
    if _MANY_PARTS.search(text):
        raise tomllib.TOMLDecodeError(f"a name has more than {DEEPEST} parts")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("tables or lists are nested too deeply") from None
    except ValueError as error:
        # A number of thousands of digits, a date that does not exist.
        raise tomllib.TOMLDecodeError(str(error)) from error
    layer: list[Any] = [values]
    for _ in range(DEEPEST + 1):
        layer = [inner for value in layer for inner in _inside(value)]
        if not layer:
            return values
    raise tomllib.TOMLDecodeError(f"tables or lists are nested more than {DEEPEST} deep")


def toml_text(path: Path) -> str:
    """The text of a TOML file.

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When it is no file of text, or too large a one.
    """
    # A device or a pipe might never end.
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    with open(path, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 2**20} MB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text, from byte {error.start} on") from error


def read_toml(path: Path) -> dict[str, Any]:
    """The values of a TOML file: what `parsed_toml` and `toml_text` raise, this raises."""
    return parsed_toml(toml_text(path))


def _inside(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []
