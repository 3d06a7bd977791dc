"""The operator's list, and what a token must say: read strictly, and in doubt nobody is let in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import AnalysisError
from pages._ui.access import Refused, admitted
from pages._ui.access_list import AccessList, Entry, read_access_list

NOW = 1_800_000_000.0
ALLOWED = AccessList(
    (
        Entry(frozenset({"head@program.example"}), frozenset({"headquarters"}), None),
        Entry(frozenset(), frozenset({"miami"}), ("Miami",)),
        Entry(frozenset({"one@region.example"}), frozenset({"newark"}), ("Newark", "Miami")),
    )
)


def claims(**more: Any) -> dict[str, Any]:
    return {"is_logged_in": True, "email": "one@miami.example", "iat": NOW - 60} | more


@pytest.mark.parametrize(
    "said, offices",
    [
        ({"groups": ["miami"]}, ("Miami",)),
        ({"groups": "miami"}, ("Miami",)),
        ({"groups": ["miami", "newark"]}, ("Miami", "Newark")),
        ({"groups": ["miami", "headquarters"]}, None),
        ({"email": "HEAD@Program.example"}, None),
        ({"email": "one@region.example", "groups": ["miami"]}, ("Miami", "Newark")),
        ({"groups": ["miami"], "iat": NOW + 30}, ("Miami",)),
    ],
)
def test_offices_of_all_entries_that_name_somebody(
    said: dict[str, Any], offices: tuple[str, ...] | None
) -> None:
    assert admitted(claims(**said), ALLOWED, NOW).offices == offices


@pytest.mark.parametrize(
    "said",
    [
        {"is_logged_in": False, "groups": ["headquarters"]},
        {"is_logged_in": "true", "groups": ["headquarters"]},
        {"groups": []},
        {"groups": None},
        {"groups": {"headquarters": True}},
        {"groups": ["Headquarters"]},
        {"groups": ["headquarters"], "email": None},
        {"groups": ["headquarters"], "email": ""},
        {"groups": ["headquarters"], "email_verified": False},
        {"groups": ["headquarters"], "iat": NOW - 12 * 3600},
        {"groups": ["headquarters"], "iat": NOW + 3600},
        {"groups": ["headquarters"], "iat": None},
        {"groups": ["headquarters"], "iat": float("nan")},
        {"roles": ["headquarters"]},
    ],
)
def test_in_doubt_nobody_is_let_in(said: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        admitted(claims(**said), ALLOWED, NOW)


def test_without_sign_in_set_up_nobody_is_let_in() -> None:
    with pytest.raises(Refused, match="not set up"):
        admitted({"email": "head@program.example", "iat": NOW}, ALLOWED, NOW)


def test_a_list_is_read_and_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "access.toml"
    path.write_text(
        'groups_claim = "roles"\nhours = 8\n[[everything]]\nemails = ["A@b.example"]\n', encoding="utf-8"
    )
    allowed = read_access_list(path)
    assert (allowed.groups_claim, allowed.hours) == ("roles", 8.0)
    assert allowed.offices("a@B.example", []) is None
    time.sleep(0.01)
    path.write_text('[[office]]\noffices = ["Miami"]\ngroups = ["m"]\n', encoding="utf-8")
    with pytest.raises(PermissionError):
        read_access_list(path).offices("a@b.example", [])


@pytest.mark.parametrize(
    "content, words",
    [
        ("", "names nobody"),
        ("[everything]\nemails = ['a@b.example']", "two brackets"),
        ("[[everything]]", "needs emails"),
        ("[[everything]]\nemails = []", "needs emails"),
        ("[[everything]]\nemails = 'a@b.example'", "needs emails"),
        ("[[everything]]\nemails = ['']", "needs emails"),
        ("[[everything]]\nemail = ['a@b.example']", "'email' is not understood"),
        ("[[everybody]]\nemails = ['a@b.example']", "'everybody' is not understood"),
        ("[[office]]\ngroups = ['m']", "needs its offices"),
        ("[[office]]\noffices = []\ngroups = ['m']", "needs its offices"),
        ("hours = 0\n[[everything]]\ngroups = ['m']", "hours is"),
        ("hours = true\n[[everything]]\ngroups = ['m']", "hours is"),
        ("groups_claim = 3\n[[everything]]\ngroups = ['m']", "groups_claim is"),
        ("[[everything", "cannot be read"),
    ],
)
def test_what_is_not_understood_is_said_and_opens_nothing(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "access.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(AnalysisError, match=words.replace("[", r"\[")):
        read_access_list(path)


def test_a_missing_list_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="cannot be read"):
        read_access_list(tmp_path / "none.toml")
