"""What the rooms read of a session, where that takes more than one place together."""

from __future__ import annotations

import json

import pytest

from app.runtime.rooms import Rooms
from app.station.intents import CutMains
from tests.app.runtime.link_bench import office, station


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_security_events_that_wait_are_counted_and_can_be_read_with_power_and_without(
    version: str,
) -> None:
    """OFF-02, A04.FR.02: they have a queue of their own, but to people it is one."""
    async with office() as csms, station(csms.url, version) as there:
        await there.accepted()
        csms.passwords = set()
        await csms.guests[-1].close(1001)
        await there.until(lambda: not there.online)
        assert there.session.personality is not None
        assert there.session.personality.desk is not None
        there.session.personality.desk.raise_event("SettingSystemTime", "by hand", critical=True)
        rooms = Rooms(there.session)
        for _ in range(2):
            view = rooms.queue()
            assert view.waiting == len(view.rows) > 0
            row = view.rows[-1]
            assert (row.action, row.ref) == ("SecurityEventNotification", "security")
            text = rooms.queued_text(row.key)
            assert text is not None
            assert json.loads(text)["type"] == "SettingSystemTime"
            there.session.intend(CutMains())
            await there.session.settled()
        rooms.close()
