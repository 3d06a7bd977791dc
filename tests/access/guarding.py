"""An app that asks everybody to sign in, with a provider beside it and a list of who may see what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from tests.access.provider import CLIENT, SECRET, providing
from tests.browser.serving import serving
from tests.browser.visiting import Visit

ACCESS = """
[[everything]]
groups = ["headquarters"]
emails = ["auditor@program.example"]

[[office]]
offices = ["Miami"]
groups = ["miami-staff"]

[[office]]
offices = ["Newark"]
groups = ["newark-staff"]

[[office]]
offices = ["Atlantis"]
groups = ["atlantis-staff"]
"""

SIGN_IN = """
[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "a cookie secret of the tests, long enough"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""

OTHERS = ("Houston", "Newark", "Buffalo")
"""Offices of the small demo that Miami's staff may not see."""


@contextmanager
def guarding(dataset: Path, scratch: Path) -> Iterator[str]:
    """The address of such an app on one dataset; `scratch` takes the list, the secrets and the offices' parts."""
    access, secrets, parts = scratch / "access.toml", scratch / "secrets.toml", scratch / "parts"
    parts.mkdir()
    access.write_text(ACCESS, encoding="utf-8")
    with providing() as provider:
        secrets.write_text(SIGN_IN.format(client=CLIENT, secret=SECRET, provider=provider), encoding="utf-8")
        environment = {
            "CTPAT_ACCESS": str(access),
            "CTPAT_DATASETS": str(dataset),
            "CTPAT_PARTS": str(parts),
            "STREAMLIT_SECRETS_FILES": str(secrets),
        }
        with serving(environment) as url:
            yield url


def sign_in(seen: Visit, url: str, person: str) -> dict[str, str]:
    """Come in as somebody; the cookies that keep one signed in."""
    seen.open(url)
    seen.page.get_by_role("button", name="Sign in").click()
    seen.page.get_by_role("link", name=person, exact=True).click()
    seen.page.wait_for_url(f"{url}/**")
    # Whoever comes first of an office waits for its part of the data.
    seen.page.get_by_role("heading", level=1).wait_for(timeout=240_000)
    seen.settled()
    return {cookie["name"]: cookie["value"] for cookie in seen.page.context.cookies()}


def not_for(office: str, dataset: Path) -> set[str]:
    """Identifiers of validations, incidents and responses of all other offices, and names of some of these."""
    read = {
        name: pd.read_parquet(dataset / "source" / f"{name}.parquet")
        for name in ("validations", "incidents", "feedback")
    }
    own = read["validations"].query("field_office == @office")["validation_id"]
    out = set(read["validations"]["validation_id"]) - set(own)
    out |= set(read["incidents"].query("field_office != @office")["incident_id"])
    out |= set(read["feedback"].loc[~read["feedback"]["validation_id"].isin(own), "response_id"])
    return out | set(OTHERS)
