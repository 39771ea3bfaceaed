"""Fails any test in which a conversation of ours wanted to send what its schema forbids.

Benches look after themselves; this covers sessions, sockets and whole programs run in the test's process.
A test that does it on purpose takes the fixture `own_frame_faults` and empties the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.ocpp.dialogue import Dialogue

_tell = Dialogue._refuse_own


@pytest.fixture(autouse=True)
def own_frame_faults(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """What was wrongly to be sent in this test so far; must be empty at its end."""
    faults: list[str] = []

    def note(dialogue: Dialogue, action: str, kind: str, violations: Any) -> None:
        faults.append(f"{action} {kind}: {violations}")
        _tell(dialogue, action, kind, violations)

    monkeypatch.setattr(Dialogue, "_refuse_own", note)
    yield faults
    if "make_bench" not in request.fixturenames and faults:
        pytest.fail("frames of ours break their schema:\n" + "\n".join(faults))
