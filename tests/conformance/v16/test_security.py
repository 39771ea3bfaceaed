"""Certificates and security events of 1.6: whitepaper A02 to A04, M03 to M05, and its list of events."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography import x509

from app.kernel.units import stamp
from app.ocpp.context import Identity
from app.ocpp.personality import LinkTrial, Setback, Way
from app.ocpp.shared.certificates.model import HashData, OwnChain
from app.ocpp.v16.personality import Personality16
from app.ocpp.v16.security import LIST, TRIGGERED
from app.station.intents import OpenDoor
from app.training.certificates import (
    Authority,
    Flaw,
    KeyKind,
    make_authority,
    make_station,
    sign_request,
)
from tests.conformance.v16.conftest import Make
from tests.support.harness import MUTE, USUAL, Bench, Refuse

SERIAL = "FC-0001"
CPO = "Forecourt demo"
NOW = datetime.fromisoformat("2026-01-15T08:00:00+00:00")
KIND = "CentralSystemRootCertificate"
MAKER = "ManufacturerRootCertificate"


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_authority("CPO root", now=NOW)


async def station(bench16: Make, profile: int = 0, **keys: str) -> Bench:
    settings = {"identity": Identity(serial_number=SERIAL), "security_profile": profile}
    bench: Bench = bench16(settings=settings, keys=keys)
    await bench.boot()
    bench.skip()
    return bench


def blocks(bench: Bench) -> Personality16:
    assert isinstance(bench.personality, Personality16)
    return bench.personality


async def install(bench: Bench, pem: str, kind: str = KIND) -> str:
    payload = {"certificateType": kind, "certificate": pem}
    answer = await bench.request("InstallCertificate", payload)
    return str(answer["status"])


async def listed(bench: Bench, kind: str = KIND) -> list[dict[str, str]]:
    answer = await bench.request("GetInstalledCertificateIds", {"certificateType": kind})
    found: list[dict[str, str]] = answer.get("certificateHashData", [])
    assert answer["status"] == ("Accepted" if found else "NotFound")
    return found


async def delete(bench: Bench, data: dict[str, str]) -> str:
    answer = await bench.request("DeleteCertificate", {"certificateHashData": data})
    return str(answer["status"])


async def ask_for_one(bench: Bench) -> str:
    """The CSR that the station sends when it is triggered."""
    word = {"requestedMessage": "SignChargePointCertificate"}
    assert await bench.request("ExtendedTriggerMessage", word) == {"status": "Accepted"}
    return str(bench.sent("SignCertificate")[-1]["csr"])


async def sign(bench: Bench, chain: str) -> str:
    answer = await bench.request("CertificateSigned", {"certificateChain": chain})
    return str(answer["status"])


async def leap(bench: Bench, time: timedelta) -> None:
    """The calendar is set forward: what is tied to it comes due."""
    bench.clock.correct(bench.now + time)
    await bench.advance(1)


def told(bench: Bench) -> list[str]:
    return [event["type"] for event in bench.sent("SecurityEventNotification")]


def log(bench: Bench) -> list[str]:
    return [entry.type for entry in blocks(bench).security.log.entries()]


# ---------------------------------------------------------------- roots: M03, M04, M05


@pytest.mark.parametrize(("kind", "other"), [(KIND, MAKER), (MAKER, KIND)])
async def test_M05_root_is_installed_listed_and_deleted(
    bench16: Make, root: Authority, kind: str, other: str
) -> None:
    """CE-01, CE-03, CE-04; M03.FR.02 to .04, M04.FR.02 and .04, M05.FR.02."""
    bench = await station(bench16)
    assert await listed(bench, kind) == []
    assert await install(bench, root.certificate_pem, kind) == "Accepted"
    (data,) = await listed(bench, kind)
    assert await listed(bench, other) == []
    assert await delete(bench, data | {"serialNumber": data["serialNumber"].lower()}) == (
        "Accepted"
    )
    assert await delete(bench, data) == "NotFound"
    assert log(bench).count("ReconfigurationOfSecurityParameters") == 2


async def test_M05_FR_06_what_is_no_root_is_rejected(bench16: Make, root: Authority) -> None:
    bench = await station(bench16)
    wrong = [
        "no certificate",
        root.certificate_pem[:200],
        make_station(root, SERIAL, CPO, now=NOW).certificate_pem,
        make_authority("Late", flaw=Flaw.EXPIRED, now=NOW).certificate_pem,
        make_authority("Short", key=KeyKind.RSA_1024, now=NOW).certificate_pem,
        root.certificate_pem * 2,
    ]
    for pem in wrong:
        assert await install(bench, pem) == "Rejected"
    assert await listed(bench) == []


async def test_M05_FR_03_full_store_takes_no_more_but_the_same_again(
    bench16: Make, root: Authority
) -> None:
    bench = await station(bench16, CertificateStoreMaxLength="1")
    assert await install(bench, root.certificate_pem) == "Accepted"
    other = make_authority("Other", now=NOW)
    assert await install(bench, other.certificate_pem) == "Rejected"
    assert await install(bench, root.certificate_pem) == "Accepted"


@pytest.mark.parametrize("name", ["Heir", "Root"])
async def test_M05_FR_09_to_13_next_root_must_be_signed_by_the_present_one(
    bench16: Make, name: str
) -> None:
    """CE-02, errata #31: the old one is a fallback until the new one has worked."""
    root = make_authority("Root", now=NOW)
    bench = await station(bench16, AdditionalRootCertificateCheck="true")
    book = blocks(bench).certificates.book
    assert await install(bench, root.certificate_pem) == "Accepted"
    stranger = make_authority("Stranger", now=NOW)
    assert await install(bench, stranger.certificate_pem) == "Rejected"
    heir = make_authority(name, above=root, now=NOW)
    assert await install(bench, heir.certificate_pem) == "Accepted"
    assert book.roots("CSMS") == [heir.certificate_pem]
    assert book.fallback_roots() == [root.certificate_pem]
    assert len(await listed(bench)) == 1
    der = [der_of(heir.certificate_pem)]
    book.connected_with(None, server=der, fallback_root=True)
    assert book.fallback_roots() == [root.certificate_pem]
    book.connected_with(None, server=der)
    assert book.fallback_roots() == []


def der_of(pem: str) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)


async def test_M04_FR_06_root_of_the_present_link_stays(bench16: Make, root: Authority) -> None:
    bench = await station(bench16)
    await install(bench, root.certificate_pem)
    other = make_authority("Other", now=NOW)
    await install(bench, other.certificate_pem)
    book = blocks(bench).certificates.book
    book.connected_with(None, server=[b"leaf", der_of(root.certificate_pem)])
    mine, unused = await listed(bench)
    assert await delete(bench, mine) == "Failed"
    assert await delete(bench, unused) == "Accepted"
    assert len(await listed(bench)) == 1


async def test_M04_FR_05_own_certificate_cannot_be_deleted(bench16: Make, root: Authority) -> None:
    bench = await station(bench16)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await ask_for_one(bench), now=NOW)
    assert await sign(bench, pair.chain_pem) == "Accepted"
    from app.ocpp.shared.certificates import x509 as ours

    (data, *_) = ours.facts(pair.certificate_pem, [root.certificate_pem]).hashes
    assert await delete(bench, data.payload()) == "Failed"


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
async def test_each_hash_algorithm_names_the_same_certificate(
    bench16: Make, root: Authority, algorithm: str
) -> None:
    """Whitepaper 6.1 and RFC 6960, worked out by hand from the DER."""
    import hashlib

    bench = await station(bench16)
    await install(bench, root.certificate_pem)
    certificate = x509.load_pem_x509_certificate(root.certificate_pem.encode())
    name = hashlib.new(algorithm, certificate.issuer.public_bytes()).hexdigest()
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    # the point of a P-256 key is what its BIT STRING holds, without tag, length and unused bits
    point = certificate.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    data = HashData(
        algorithm, name, hashlib.new(algorithm, point).hexdigest(), f"{certificate.serial_number:X}"
    )
    if algorithm == "SHA256":
        assert await listed(bench) == [data.payload()]
    assert await delete(bench, data.payload()) == "Accepted"


# ---------------------------------------------------------------- own certificate: A02, A03


async def test_A02_trigger_makes_a_key_and_the_certificate_is_taken(
    bench16: Make, root: Authority
) -> None:
    """CE-05; A02.FR.02, .03, .13: CN is the serial number, O the CpoName."""
    bench = await station(bench16)
    await install(bench, root.certificate_pem)
    csr = await ask_for_one(bench)
    request = x509.load_pem_x509_csr(csr.encode())
    assert request.subject.rfc4514_string() == f"O={CPO},CN={SERIAL}"
    assert request.is_signature_valid
    assert set(bench.sent("SignCertificate")[-1]) == {"csr"}
    assert await sign(bench, sign_request(root, csr, now=NOW).chain_pem) == "Accepted"
    (chain,) = blocks(bench).certificates.book.own_chains()
    assert "PRIVATE KEY" in chain.key_pem
    assert "InvalidChargePointCertificate" not in log(bench)
    assert (await ask_for_one(bench)) != csr


@pytest.mark.parametrize(
    "flaw", [Flaw.EXPIRED, Flaw.WRONG_NAME, Flaw.WRONG_OPERATOR, Flaw.WRONG_KEY, Flaw.SELF_SIGNED]
)
async def test_A02_FR_06_and_07_bad_certificate_is_rejected_and_told(
    bench16: Make, root: Authority, flaw: Flaw
) -> None:
    bench = await station(bench16)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await ask_for_one(bench), flaw=flaw, now=NOW)
    assert await sign(bench, pair.chain_pem) == "Rejected"
    assert told(bench)[-1] == "InvalidChargePointCertificate"
    assert blocks(bench).certificates.book.own_chains() == []


async def test_A02_FR_06_chain_must_lead_to_a_known_root(bench16: Make, root: Authority) -> None:
    bench = await station(bench16)
    csr = await ask_for_one(bench)
    chain = sign_request(root, csr, now=NOW).chain_pem
    assert await sign(bench, chain) == "Rejected"  # nothing is installed yet
    between = make_authority("Sub", above=root, now=NOW)
    await install(bench, root.certificate_pem)
    long = sign_request(between, csr, now=NOW)
    assert await sign(bench, long.certificate_pem) == "Rejected"
    assert await sign(bench, long.chain_pem) == "Accepted"


async def test_CertificateSignedMaxChainSize_is_kept(bench16: Make, root: Authority) -> None:
    bench = await station(bench16, CertificateSignedMaxChainSize="100")
    await install(bench, root.certificate_pem)
    chain = sign_request(root, await ask_for_one(bench), now=NOW).chain_pem
    assert await sign(bench, chain) == "Rejected"


async def test_A02_FR_08_not_yet_valid_is_taken_and_used_when_it_is(
    bench16: Make, root: Authority
) -> None:
    """Errata #30: 1.6 keeps the old rule, unlike 2.0.1."""
    bench = await station(bench16, profile=3)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await ask_for_one(bench), flaw=Flaw.NOT_YET_VALID, now=NOW)
    before = bench.csms.connection
    assert await sign(bench, pair.chain_pem) == "Accepted"
    assert bench.csms.connection == before
    book = blocks(bench).certificates.book
    assert book.own_chains() == []
    await bench.advance(86_400 + 1)
    assert bench.csms.connection > before
    assert len(book.own_chains()) == 1


async def test_A02_new_certificate_is_used_at_once_under_profile_3(
    bench16: Make, root: Authority
) -> None:
    """CE-07; the same certificate again is taken without another link."""
    bench = await station(bench16, profile=3)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await ask_for_one(bench), now=NOW)
    before = bench.csms.connection
    assert await sign(bench, pair.chain_pem) == "Accepted"
    after = bench.csms.connection
    assert after > before
    assert await sign(bench, pair.chain_pem) == "Accepted"
    assert bench.csms.connection == after


async def renewed(bench: Bench, root: Authority) -> OwnChain:
    """A new certificate, the newest there is."""
    await bench.advance(1)
    pair = sign_request(root, await ask_for_one(bench), now=bench.now)
    assert await sign(bench, pair.chain_pem) == "Accepted"
    return blocks(bench).certificates.book.own_chains()[0]


async def test_A02_FR_09_and_10_newest_first_old_one_is_fallback_for_a_month(
    bench16: Make, root: Authority
) -> None:
    bench = await station(bench16)
    await install(bench, root.certificate_pem)
    book = blocks(bench).certificates.book
    old = await renewed(bench, root)
    book.connected_with(old)
    new = await renewed(bench, root)
    assert [chain.id for chain in book.own_chains()] == [new.id, old.id]
    book.failed_with(new)
    assert book.own_chains()[0].id == old.id
    book.failed_with(old)
    assert book.own_chains()[0].id == new.id
    book.connected_with(new)
    await bench.offline()
    await bench.online()
    assert len(book.own_chains()) == 2
    await leap(bench, timedelta(days=31))
    await bench.offline()
    await bench.online()
    assert [chain.id for chain in book.own_chains()] == [new.id]


async def test_A03_new_certificate_is_asked_for_a_month_before_the_end(
    bench16: Make, root: Authority
) -> None:
    bench = await station(bench16)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await ask_for_one(bench), days=365, now=NOW)
    await sign(bench, pair.chain_pem)
    asked = len(bench.sent("SignCertificate"))
    await leap(bench, timedelta(days=334))
    assert len(bench.sent("SignCertificate")) == asked
    await leap(bench, timedelta(days=2))
    assert len(bench.sent("SignCertificate")) == asked + 1


async def test_request_survives_a_power_cut_and_a_break_of_the_link(
    bench16: Make, root: Authority
) -> None:
    bench = await station(bench16)
    await install(bench, root.certificate_pem)
    await bench.offline()
    assert blocks(bench).certificates.request_certificate()
    await bench.rest()
    assert bench.sent("SignCertificate") == []
    await bench.kill_and_restart()
    (asked,) = bench.sent("SignCertificate")
    await bench.kill_and_restart()
    assert len(bench.sent("SignCertificate")) == 1
    pair = sign_request(root, asked["csr"], now=NOW)
    assert await sign(bench, pair.chain_pem) == "Accepted"


async def test_request_that_was_not_answered_is_sent_again_with_the_next_link(
    bench16: Make,
) -> None:
    """1.6 knows no wait after which it is repeated."""
    bench = await station(bench16)
    bench.csms.on("SignCertificate", [MUTE, USUAL])
    await ask_for_one(bench)
    await bench.advance(86_400)
    assert len(bench.sent("SignCertificate")) == 1
    for _ in range(2):
        await bench.offline()
        await bench.online()
    first, again = bench.sent("SignCertificate")
    assert first == again


async def test_request_that_is_rejected_is_forgotten_with_its_key(bench16: Make) -> None:
    """A02.FR.12; 1.6 does not repeat by itself."""
    bench = await station(bench16)
    bench.csms.on("SignCertificate", {"status": "Rejected"})
    await ask_for_one(bench)
    assert bench.store.rows("keys") == []
    await bench.advance(86_400)
    assert len(bench.sent("SignCertificate")) == 1


async def test_trigger_without_operator_or_serial_number_is_rejected(bench16: Make) -> None:
    """A02, prerequisite: CpoName must be set."""
    bench = await station(bench16, CpoName="")
    word = {"requestedMessage": "SignChargePointCertificate"}
    assert await bench.request("ExtendedTriggerMessage", word) == {"status": "Rejected"}


async def test_private_keys_lie_in_their_table_and_nowhere_else(
    bench16: Make, root: Authority
) -> None:
    """A02.FR.05: not on the wire, in no event, in no log, in no other row."""
    bench = await station(bench16, profile=3)
    await install(bench, root.certificate_pem)
    chain = await renewed(bench, root)
    body = chain.key_pem.split("-----")[2].replace("\n", "")
    assert len(body) > 100
    needle = body[30:90]
    said = "".join(str(line) for line in bench.csms.lines) + repr(bench.events) + repr(chain)
    assert needle not in said.replace("\\n", "").replace("\n", "")
    for table in ("certificates", "certificate_requests", "certificates_in_use", "security_log"):
        rows = repr(bench.store.rows(table))
        assert "PRIVATE" not in rows
        assert needle not in rows.replace("\\n", "")
    assert needle in repr(bench.store.rows("keys")).replace("\\n", "")


# ---------------------------------------------------------------- security events: A04


async def test_A04_start_is_told_after_the_boot(bench16: Make) -> None:
    """CE-10: StartupOfTheDevice."""
    bench = bench16()
    await bench.boot()
    (event,) = bench.sent("SecurityEventNotification")
    assert event["type"] == "StartupOfTheDevice"
    assert event["timestamp"] == stamp(NOW)


async def test_A04_reset_is_told(bench16: Make) -> None:
    bench = await station(bench16)
    await bench.request("Reset", {"type": "Hard"})
    assert told(bench)[-2:] == ["ResetOrReboot", "StartupOfTheDevice"]


async def test_A04_FR_02_critical_events_wait_for_the_link_and_survive(bench16: Make) -> None:
    """Errata #14: queued with guaranteed delivery."""
    bench = await station(bench16)
    await bench.offline()
    await bench.do(OpenDoor())
    assert [row.payload["type"] for row in blocks(bench).security.queue()] == [
        "TamperDetectionActivated"
    ]
    await bench.kill_and_restart(connect=False)
    await bench.online()
    assert told(bench)[-2:] == ["TamperDetectionActivated", "StartupOfTheDevice"]
    assert blocks(bench).security.queue() == []


async def test_critical_event_is_never_given_up_and_holds_nothing_up(bench16: Make) -> None:
    """Errata #14: not dropped after attempts; a session goes on meanwhile."""
    bench = await station(bench16)
    bench.csms.on("SecurityEventNotification", [Refuse("InternalError")] * 6 + [USUAL])
    await bench.do(OpenDoor())
    await bench.advance(4 * 3600)
    tries = [event for event in bench.sent("SecurityEventNotification") if "door" in str(event)]
    assert len(tries) == 7
    assert all(event == tries[0] for event in tries)
    assert blocks(bench).security.queue() == []


async def test_back_office_without_the_message_is_asked_again_at_the_next_link(
    bench16: Make,
) -> None:
    bench = await station(bench16)
    bench.csms.on("SecurityEventNotification", Refuse("NotImplemented"))
    await bench.do(OpenDoor())
    count = len(told(bench))
    await bench.advance(86_400)
    assert len(told(bench)) == count
    await bench.offline()
    await bench.online()
    assert len(told(bench)) == count + 1
    bench.csms.default("SecurityEventNotification")
    await bench.offline()
    await bench.online()
    assert blocks(bench).security.queue() == []


async def test_silence_is_tried_again(bench16: Make) -> None:
    bench = await station(bench16)
    bench.csms.on("SecurityEventNotification", [MUTE, USUAL])
    await bench.do(OpenDoor())
    await bench.advance(61)
    assert blocks(bench).security.queue() == []


async def test_CE_10_clock_beyond_the_threshold(bench16: Make) -> None:
    """Errata #32 for 2.0.1; 1.6 has a key of ours of the same name, or each Heartbeat would tell."""
    bench = await station(bench16, TimeAdjustmentReportingThreshold="20")
    for seconds, count in ((15, 0), (60, 1)):
        later = stamp(bench.now + timedelta(seconds=seconds))
        bench.csms.on("Heartbeat", {"currentTime": later})
        await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})
        assert told(bench).count("SettingSystemTime") == count


async def test_events_that_are_not_critical_go_to_the_log_only(bench16: Make) -> None:
    """Part 8: ReconfigurationOfSecurityParameters, InvalidMessages, AttemptedReplayAttacks."""
    bench = await station(bench16)
    await bench.request("ChangeConfiguration", {"key": "CpoName", "value": "ACME"})
    await bench.inject("no frame")
    await bench.inject('[2,"twice","GetConfiguration",{}]')
    await bench.inject('[2,"twice","GetConfiguration",{}]')
    for kind in (
        "ReconfigurationOfSecurityParameters",
        "InvalidMessages",
        "AttemptedReplayAttacks",
    ):
        assert kind in log(bench)
        assert kind not in told(bench)


async def test_flood_of_bad_messages_is_one_entry(bench16: Make) -> None:
    bench = await station(bench16)
    for _ in range(50):
        await bench.inject("no frame")
    assert log(bench).count("InvalidMessages") == 1


async def test_clearing_the_log_is_an_event_itself(bench16: Make) -> None:
    """SecurityLogWasCleared."""
    bench = await station(bench16)
    blocks(bench).security.clear_log()
    await bench.rest()
    assert log(bench) == ["SecurityLogWasCleared"]
    assert told(bench)[-1] == "SecurityLogWasCleared"


@pytest.mark.parametrize(
    ("setback", "kind", "pushed"),
    [
        (Setback.CREDENTIALS, "FailedToAuthenticationAtCentralSystem", False),
        (Setback.SERVER_CERTIFICATE, "InvalidCentralSystemCertificate", True),
        (Setback.TLS_VERSION, "InvalidTLSVersion", True),
        (Setback.TLS_CIPHERS, "InvalidTLSCipherSuite", True),
    ],
)
async def test_A00_attempt_to_connect_that_failed_is_told_once(
    bench16: Make, setback: Setback, kind: str, pushed: bool
) -> None:
    """A00.FR.309, .315, .322."""
    bench = await station(bench16)
    await bench.offline()
    for _ in range(3):
        bench.personality.link_tried(LinkTrial(Way(), 0, setback, "told"))
    await bench.online()
    assert log(bench).count(kind) == 1
    assert told(bench).count(kind) == int(pushed)


async def test_each_event_of_the_list_is_pushed_as_the_list_says(bench16: Make) -> None:
    """Whitepaper part 8; what a requirement triggers is pushed though the list says no."""
    bench = await station(bench16)
    assert len(LIST) == 18
    before = len(told(bench))
    for kind in LIST:
        blocks(bench).security.raise_event(kind)
    await bench.rest()
    pushed = [kind for kind, critical in LIST.items() if critical or kind in TRIGGERED]
    assert told(bench)[before:] == pushed
    assert log(bench)[-18:] == list(LIST)


async def test_names_of_the_other_version_are_put_into_ours(bench16: Make) -> None:
    bench = await station(bench16)
    blocks(bench).security.raise_event("InvalidCsmsCertificate", "x" * 300)
    await bench.rest()
    event = bench.sent("SecurityEventNotification")[-1]
    assert event["type"] == "InvalidCentralSystemCertificate"
    assert len(event["techInfo"]) == 255


async def test_without_the_extension_there_are_no_certificates_and_nothing_is_pushed(
    bench16: Make,
) -> None:
    bench = bench16(settings={"features": frozenset({"Core"})})
    await bench.boot()
    assert bench.sent("SecurityEventNotification") == []
    assert log(bench) == ["StartupOfTheDevice"]
    assert not set(bench.personality.handlers()) & {"InstallCertificate", "CertificateSigned"}


async def test_log_rolls(bench16: Make) -> None:
    """A04.FR.04 of 2.0.1: a rolling format; numbers go on."""
    from app.ocpp.shared.security_log import SecurityLog

    bench = await station(bench16)
    rolling = SecurityLog(bench.store, room=3)
    for number in range(5):
        rolling.add("InvalidMessages", str(number), bench.now + timedelta(seconds=number))
    assert [entry.tech_info for entry in rolling.entries()] == ["2", "3", "4"]
    late = rolling.entries(since=bench.now + timedelta(seconds=3))
    assert [entry.tech_info for entry in late] == ["3", "4"]
    assert rolling.clear() == 3
    assert rolling.entries() == []
