"""Who is looking: nobody is asked unless the operator names an access list, then everybody is.

Sign-in is Streamlit's own (OpenID Connect, ``[auth]`` in ``.streamlit/secrets.toml``); who may see what is in the
operator's list. What goes wrong on the way lets nobody in.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.charts.markup import element, text
from analysis.errors import AnalysisError
from pages._ui.access_list import AccessList, read_access_list

VARIABLE = "CTPAT_ACCESS"
CLOCKS_DIFFER = 60
"""Seconds by which a token may have been issued in the future."""

_NOT_SET_UP = "Sign-in is not set up rightly, so nobody is let in. The server's log says why."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who may look: at the whole program where `offices` is None, else at those offices."""

    name: str = ""
    offices: tuple[str, ...] | None = None


class Refused(Exception):
    """Nobody is let in: why, and whether signing in could help."""

    def __init__(self, words: str, *, can_sign_in: bool = False, signed_in: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.can_sign_in = can_sign_in
        self.signed_in = signed_in


def required() -> bool:
    """Whether the operator asks people to sign in."""
    return VARIABLE in os.environ


def viewer() -> Viewer:
    """Who is looking; draws the way in, and ends the run, where nobody may.

    Without an access list everybody who reaches the server sees everything.
    """
    if not required():
        return Viewer()
    try:
        claims = st.user.to_dict()
        if "is_logged_in" not in claims:
            _log.error(
                "nobody is let in: .streamlit/secrets.toml has no [auth] for Streamlit to sign people in with"
            )
        return admitted(claims, _list(), time.time())
    except Refused as refused:
        _draw(refused)
        st.stop()


def admitted(claims: Mapping[str, Any], allowed: AccessList, now: float) -> Viewer:
    """Who the claims of an ID token speak of, if the list lets them in.

    Parameters
    ----------
    claims : mapping
        As Streamlit hands them over: ``is_logged_in`` and the claims of the token, whose signature it has checked.
    allowed : AccessList
    now : float
        Seconds since 1970.

    Raises
    ------
    Refused
        When nobody is signed in, the sign-in is too old or says not who it is, or the list does not name them.
    """
    if "is_logged_in" not in claims:
        raise Refused(_NOT_SET_UP)
    if claims["is_logged_in"] is not True:
        raise Refused("Sign in to see this program's data.", can_sign_in=True)
    issued, email, groups = claims.get("iat"), claims.get("email"), claims.get(allowed.groups_claim)
    age = now - issued if isinstance(issued, int | float) else None
    if age is None or not -CLOCKS_DIFFER <= age < allowed.hours * 3600:
        raise Refused("Your sign-in is too old. Sign in again.", can_sign_in=True)
    if not isinstance(email, str) or not email or claims.get("email_verified") is False:
        raise Refused(
            "Your account has no verified e-mail address, so nobody can tell who you are.", signed_in=True
        )
    named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    try:
        offices = allowed.offices(email, [group for group in named if isinstance(group, str)])
    except PermissionError:
        _log.warning("refused: %s is not on the access list", email)
        raise Refused(
            f"{email} is not on this program's access list. Ask whoever runs this server to add you.",
            signed_in=True,
        ) from None
    return Viewer(email, offices)


def draw_account(who: Viewer) -> None:
    """Who is signed in, and the way out; nothing where nobody is asked."""
    if not who.name:
        return
    st.html(element("p", text(who.name), class_="measure"))
    st.button("Sign out", key="sign-out", icon=":material/logout:", type="tertiary", on_click=st.logout)


def _list() -> AccessList:
    try:
        return read_access_list(Path(os.environ[VARIABLE]))
    except AnalysisError as error:
        _log.error("nobody is let in: %s", error)
        raise Refused(_NOT_SET_UP) from error


def _draw(refused: Refused) -> None:
    st.title("Validation analysis", anchor=False)
    st.html(element("p", text(refused.words), class_="answer"))
    if refused.can_sign_in:
        st.button("Sign in", key="sign-in", icon=":material/login:", type="primary", on_click=_sign_in)
    elif refused.signed_in:
        st.button("Sign out", key="sign-out", icon=":material/logout:", on_click=st.logout)


def _sign_in() -> None:
    st.login()
