"""Files and folders made aside and swapped in: what is there is whole, and what a killed run left is cleared away."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except (
    ImportError
):  # Windows has no such locks: there, what a killed run left stays until somebody removes it.
    fcntl = None  # type: ignore[assignment]  # None stands for its absence

_MARK = ".writing-"
_OLD = ".old"
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2
_HERE = -100  # AT_FDCWD: paths are taken as they are
_TRIES = 5


class Aside:
    """A hidden folder for work in progress, held while its process lives; `close` removes it.

    What processes that were killed left under the same name is removed first, and what one of them had moved away is
    put back (see `swap`).

    Parameters
    ----------
    target : Path
        It lies beside this, under a name made of this one's.

    Raises
    ------
    OSError
        When there is no writing there.
    """

    def __init__(self, target: Path) -> None:
        target = target.absolute()
        _clear(target)
        for turn in range(_TRIES):
            self.path = Path(tempfile.mkdtemp(prefix=f".{target.name}{_MARK}", dir=target.parent))
            self._hold = _hold(self.path)
            # Another may clear away what was made but not yet held; where there are no locks, nobody clears.
            if self._hold is not None and os.fstat(self._hold).st_nlink:
                return
            _let_go(self._hold)
            self._hold = None
            if turn < _TRIES - 1:
                _remove(self.path)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        _remove(self.path)
        _let_go(self._hold)
        self._hold = None


@contextmanager
def made_aside(target: Path) -> Iterator[Path]:
    """A folder beside `target` to write in, gone when the block ends, whether well or not: see `Aside`."""
    aside = Aside(target)
    try:
        yield aside.path
    finally:
        aside.close()


def swap(place: Path, target: Path) -> None:
    """Put a folder of `made_aside` where `target` is, in one step where the system has one (Linux).

    Elsewhere the old one is moved away first: a process killed between the two moves leaves both whole beside
    `target`, and the next `made_aside` puts the old one back.
    """
    if not target.exists():
        place.rename(target)
    elif not _exchanged(place, target):
        target.rename(_old(place))
        try:
            place.rename(target)
        except OSError:
            _old(place).rename(target)
            raise


def write_whole(path: Path, content: bytes) -> None:
    """Write a file aside and move it into place: it is absent, old or new, never half.

    Raises
    ------
    OSError
        When it cannot be written; what was there is as it was.
    """
    with made_aside(path) as place:
        new = place / "file"
        new.write_bytes(content)
        new.chmod(0o644)
        os.replace(new, path)


def _clear(target: Path) -> None:
    """Remove what killed processes left beside `target`; put back what one of them had moved away."""
    if not os.access(target.parent, os.R_OK):
        return
    left = re.compile(re.escape(f".{target.name}{_MARK}") + r"\w{8}")
    names = [name.removesuffix(_OLD) for name in os.listdir(target.parent)]
    for place in (target.parent / name for name in dict.fromkeys(names) if left.fullmatch(name)):
        hold = _hold(place) if place.exists() else None
        if place.exists() and hold is None:
            continue
        if _old(place).exists() and not target.exists():
            _old(place).rename(target)
        _remove(place)
        _let_go(hold)


def _remove(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(_old(place), ignore_errors=True)


def _old(place: Path) -> Path:
    return place.with_name(place.name + _OLD)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether two folders have changed places in one step."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # Another system: it has two steps.
        return False
    return bool(renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


def _hold(folder: Path) -> int | None:
    """Hold a folder until the process ends or lets go; None where another holds it, or nobody can."""
    if fcntl is None:
        return None
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:  # A folder that may be written but not listed can do without.
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # Held by a living process, or on a file system without locks.
        os.close(number)
        return None
    return number


def _let_go(number: int | None) -> None:
    if number is not None:
        os.close(number)
