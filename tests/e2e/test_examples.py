"""What the documentation shows to people who write scripts works when they copy it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import app.client
from app.client import Station
from app.training.rules import Rule
from tests.e2e.office import Office

ADDRESS = "ws://127.0.0.1:9000"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SLOW = 0.5
"""Seconds that the back office takes to accept a station: longer than a script takes to plug in."""


def example(source: str, checkout: Path) -> str:
    """The script that opens a station, of a page or of the package."""
    if source == "app.client":
        text = app.client.__doc__ or ""
        return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    blocks = BLOCK.findall((checkout / source).read_text("utf-8"))
    return next(block for block in blocks if "with Station(" in block)


@pytest.mark.parametrize("source", ["README.md", "resources/help/control.md", "app.client"])
def test_the_example_charges_a_car_at_the_first_try(
    source: str, office: Office, checkout: Path
) -> None:
    office.thread.add_rule(Rule("BootNotification", delay_s=SLOW))
    script = example(source, checkout)
    assert ADDRESS in script
    exec(script.replace(ADDRESS, office.url.removesuffix("/ocpp")), {})
    assert len(office.calls("CP-1", "Authorize")) == 1


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_who_waits_to_be_accepted_need_not_know_whether_it_is_so_already(
    version: str, office: Office
) -> None:
    office.thread.add_rule(Rule("BootNotification", delay_s=SLOW))
    with Station("--csms", office.url, "--id", "CP-1", "--version", version) as station:
        station.wait_accepted()
        assert station.call("station.snapshot")["boot"] == "accepted"
        station.wait_accepted(timeout=1)
        office.thread.add_rule(Rule("BootNotification", delay_s=SLOW))
        station.do("station.repower")
        station.wait_accepted()
        assert len(office.calls("CP-1", "BootNotification")) == 2
