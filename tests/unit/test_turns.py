"""Who is answered next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from pages._ui import turns as waiting
from pages._ui.turns import FIRST, Turns


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "nothing moved"
        time.sleep(0.005)


def _waiting(turns: Turns) -> int:
    return len(turns._waiting)


def test_no_more_than_so_many_compute_at_once() -> None:
    turns, inside, most, lock = Turns(at_once=2), [0], [0], threading.Lock()

    def compute() -> None:
        for _ in range(20):
            with turns.taken():
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.001)
                with lock:
                    inside[0] -= 1

    threads = [threading.Thread(target=compute) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert most == [2]


def test_first_answers_go_before_the_others_which_go_as_their_pages_came() -> None:
    turns, order = Turns(at_once=1), list[str]()
    open_gate, came = threading.Event(), list[threading.Event]()

    def page(name: str, before: int, ready: threading.Event) -> None:
        turns.arrived()
        ready.set()
        open_gate.wait(20)
        turns._here.asked = before
        with turns.taken():
            order.append(name)

    threads = []
    for name, before in (
        ("early, at its foot", FIRST),
        ("late, at its foot", FIRST),
        ("late, its sentence", 0),
    ):
        ready = threading.Event()
        threads.append(threading.Thread(target=page, args=(name, before, ready)))
        threads[-1].start()
        assert ready.wait(20)
        came.append(ready)
    with turns.taken():
        open_gate.set()
        _until(lambda: _waiting(turns) == 3)
    for thread in threads:
        thread.join(20)
    assert order == ["late, its sentence", "early, at its foot", "late, at its foot"]


def test_what_is_asked_on_the_way_is_part_of_the_turn() -> None:
    turns = Turns(at_once=1)
    with turns.taken(), turns.taken():
        pass
    with turns.taken():
        pass


def test_a_turn_ends_with_an_error() -> None:
    turns = Turns(at_once=1)
    with pytest.raises(ValueError, match="no"), turns.taken():
        raise ValueError("no")
    done = threading.Event()

    def next_one() -> None:
        with turns.taken():
            done.set()

    threading.Thread(target=next_one).start()
    assert done.wait(20)


def test_whoever_is_called_away_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(at_once=1)
    done = threading.Event()

    def late() -> None:
        with turns.taken():
            done.set()

    with turns.taken():
        monkeypatch.setattr(turns._here, "inside", False)

        def called_away() -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(waiting, "get_run_yield_check", lambda: called_away)
            with pytest.raises(KeyboardInterrupt), turns.taken():
                pass
        assert _waiting(turns) == 0
        thread = threading.Thread(target=late)
        thread.start()
        _until(lambda: _waiting(turns) == 1)
    assert done.wait(20)
    thread.join(20)


def test_what_is_at_hand_waits_for_nobody() -> None:
    """Not even what it asks on the way: whoever has a turn may be waiting for it."""
    turns, held, finished = Turns(at_once=1), threading.Event(), threading.Event()

    def at_hand() -> None:
        held.wait(20)
        with turns.passed_by(), turns.taken():
            finished.set()

    thread = threading.Thread(target=at_hand)
    thread.start()
    with turns.taken():
        held.set()
        assert finished.wait(20)
    thread.join(20)
    with turns.taken():
        pass
    assert turns._free == 1 and not turns._here.inside
