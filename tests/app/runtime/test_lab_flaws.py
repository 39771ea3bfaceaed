"""A flaw that a person wants of one certificate is not in the next one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.ocpp.version import Version
from app.runtime.lab import Lab
from app.training.settings import CsmsSettings


class AskingLab(Lab):
    """A lab whose station answers the trigger as the test says."""

    answer = "Accepted"

    async def _make_authority(self) -> None:
        return None

    def _here(self) -> bool:
        return True

    def _trusts(self) -> bool:
        return True

    def _version(self) -> Version:
        return Version.V16

    def _sent(self) -> list[str]:
        return ["Rejected"] * self.settings_seen

    async def _call(self, action: str, payload: Any) -> str:
        assert self._training.settings.flaw is not None
        self.settings_seen += 1
        return self.answer

    settings_seen = 0


@pytest.mark.parametrize("answer", ["Accepted", "Rejected", "NotImplemented"])
async def test_a_flaw_is_for_one_certificate_whatever_the_station_answers(answer: str) -> None:
    training: Any = SimpleNamespace(
        settings=CsmsSettings(),
        snapshot=lambda: SimpleNamespace(url="ws://127.0.0.1:1/ocpp", log=()),
    )
    lab = AskingLab(cast("Any", None), training)
    lab.answer = answer
    assert not await lab.ask_for_certificate("expired")
    assert training.settings.flaw is None
    assert [result.good for result in lab.results()] == [False]
