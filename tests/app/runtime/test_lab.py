"""The certificate lab with a whole station and the training CSMS, over real sockets and TLS: no window."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.ocpp.shared.certificates.book import CertificateBook
from app.runtime.lab import SERVER_FLAWS, STATION_FLAWS, Lab
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.runtime.views import LinkState
from app.training.thread import TrainingCsmsThread

VERSIONS = ["1.6", "2.0.1"]

SERVED = {
    "expired": "runtime.tls.expired",
    "not_yet_valid": "runtime.tls.not_yet_valid",
    "wrong_name": "runtime.tls.wrong_name",
    "self_signed": "runtime.tls.self_signed",
    "revoked": "runtime.tls.revoked",
    "old_tls": "runtime.tls.version",
    "weak_cipher": "runtime.tls.cipher",
}
"""What the station says of each flaw of the training CSMS."""

TAKEN = {"none", "revoked"}
"""What a station cannot find fault with."""


@contextlib.asynccontextmanager
async def lab(version: str, folder: Path) -> AsyncIterator[Lab]:
    training = TrainingCsmsThread()
    url = await asyncio.to_thread(training.start)
    flags = {"csms.version": version, "csms.id": "CS-1"}
    session = Session(resolve(flags=flags).config, state_dir=folder, default_url=url)
    await session.start()
    made = Lab(session, training)
    try:
        yield made
    finally:
        await made.leave()
        await session.stop()
        await asyncio.to_thread(training.stop)


def newest(made: Lab) -> str:
    """The id of what was told last; of a link that did not come about: why."""
    words = made.results()[0].words
    if words.id == "rooms.lab.not_connected":
        return str(words.params["why"].id)
    return words.id


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_walk_from_profile_0_to_3_and_back(version: str, tmp_path: Path) -> None:
    async with lab(version, tmp_path) as made:
        for profile in (1, 2, 3, 2, 1, 0, 3, 0):
            assert await made.go(profile), made.results()
            assert newest(made) == f"rooms.lab.connected.{profile}"
            snapshot = made._session.snapshot()
            assert snapshot.security_profile == profile
            assert snapshot.link.state is LinkState.ONLINE


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("profile", [2, 3])
async def test_each_flaw_of_the_back_office_is_told_and_a_good_certificate_leads_back(
    version: str, profile: int, tmp_path: Path
) -> None:
    assert set(SERVED) == set(SERVER_FLAWS) - {"none"}
    async with lab(version, tmp_path) as made:
        assert await made.go(profile)
        for flaw, why in SERVED.items():
            assert not await made.serve(flaw)
            assert newest(made) == why, flaw
        assert await made.serve("none")
        assert newest(made) == f"rooms.lab.connected.{profile}"


@pytest.mark.parametrize("version", VERSIONS)
async def test_each_flaw_of_a_station_certificate_is_found_but_one_that_only_the_list_knows(
    version: str, tmp_path: Path
) -> None:
    taken = TAKEN | ({"not_yet_valid"} if version == "1.6" else set())
    async with lab(version, tmp_path) as made:
        assert await made.go(3)
        for flaw in STATION_FLAWS:
            assert await made.ask_for_certificate(flaw) == (flaw in taken), flaw
            assert made._session.snapshot().security_profile == 3, "it went down on the way"
        assert await made.go(3)  # with a good one again, though a revoked one came last


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_revoked_certificate_is_turned_away_and_the_one_before_it_is_shown_again(
    version: str, tmp_path: Path
) -> None:
    """A02.FR.10, .28 and .29: the station can find no fault with it, the back office can."""
    async with lab(version, tmp_path) as made:
        assert await made.go(3)
        book = CertificateBook(made._session.store)
        good = book.chain_in_use()
        assert await made.ask_for_certificate("revoked")
        back, said, *_ = made.results()
        assert (back.words.id, back.good) == ("rooms.lab.fallen_back", True)
        assert said.words.params["words"].id == "training.revoked"
        assert book.chain_in_use() == good
        assert made._session.snapshot().security_profile == 3


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_new_authority_is_trusted_anew_and_signs_anew(version: str, tmp_path: Path) -> None:
    """It has the name of the one before: only the key tells them apart."""
    async with lab(version, tmp_path) as made:
        assert await made.go(3)
        await made.new_authority()
        assert await made.go(3)
        said = [result.words.id for result in made.results()]
        assert said.count("rooms.lab.installed") == said.count("rooms.lab.signed") == 2
