"""The link by control: connect elsewhere, diagnose, retry."""

from __future__ import annotations

from typing import Any

from app.runtime.control.methods import Methods
from app.runtime.views import LinkState
from tests.app.runtime.link_bench import Station, office, station


async def control(there: Station, method: str, **arguments: Any) -> dict[str, Any]:
    model, run = Methods(there.session, lambda *_: None, lambda: None).table()[method]
    answer = run(model(**arguments))
    found: dict[str, Any] = answer if isinstance(answer, dict) else await answer
    return found


async def test_a_script_goes_to_another_back_office() -> None:
    async with office() as first, office() as second, station(first.url, "1.6") as there:
        await there.accepted()
        told = await control(
            there, "link.connect", url=second.url, id="CS-2", security_profile=1, password="secret"
        )
        assert told == {"accepted": True}
        await there.accepted()
        assert second.shown == [b"secret"]
        assert second.requests[0].path.endswith("/CS-2")


async def test_an_address_that_cannot_be_is_refused_with_a_sentence() -> None:
    async with office() as csms, station(csms.url, "1.6") as there:
        await there.accepted()
        told = await control(there, "link.connect", url="http://x")
        assert (told["accepted"], told["code"]) == (False, "runtime.address.scheme")
        assert "ws://" in told["reason"]
        assert there.online


async def test_a_script_learns_why_there_is_no_link() -> None:
    async with office() as csms, station(csms.url, "1.6") as there:
        await there.accepted()
        good = await control(there, "link.diagnose")
        assert good["ok"]
        csms.passwords = {b"right"}
        bad = await control(there, "link.diagnose", url=csms.url, password="wrong", boot=True)
        assert not bad["ok"]
        assert bad["steps"][-1]["code"] == "runtime.link.http_401"
        assert "password" in bad["steps"][-1]["text"]


async def test_a_script_need_not_wait_for_the_next_attempt() -> None:
    async with office() as csms:
        csms.passwords = set()
        async with station(csms.url, "1.6") as there:

            def waiting() -> bool:
                return there.session.snapshot().link.state is LinkState.WAITING

            while not waiting():
                await there.session.settled()
            csms.passwords = {None}
            assert await control(there, "link.retry") == {"accepted": True}
            while not there.online:
                await there.session.settled()


def test_a_password_is_in_no_repr() -> None:
    from app.runtime.control.links import WayParams

    assert "secret" not in repr(WayParams(url="ws://h", password="secret"))
