"""Certificates of 2.0.1: part 2, A02, A03, M03 to M06, with the errata of 2025-09."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from app.ocpp.context import Identity
from app.ocpp.shared.certificates import signing
from app.ocpp.shared.certificates.model import OwnChain, Purpose
from app.ocpp.v201.personality import Personality201
from app.training.certificates import (
    Authority,
    Flaw,
    KeyKind,
    make_authority,
    make_station,
    sign_request,
)
from app.training.revocation import ocsp_status
from tests.conformance.v201.conftest import Make
from tests.support.harness import MUTE, Bench, Refuse

SERIAL = "FC-0001"
NOW = datetime.fromisoformat("2026-01-15T08:00:00+00:00")
ROOT, CHAIN = "CSMSRootCertificate", "V2GCertificateChain"
STATION, V2G = "ChargingStationCertificate", "V2GCertificate"


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_authority("CSO root", now=NOW)


async def station(bench201: Make, profile: int = 0, **variables: str) -> Bench:
    named = {name.replace("__", "."): value for name, value in variables.items()}
    settings = {"identity": Identity(serial_number=SERIAL), "security_profile": profile}
    bench: Bench = bench201(settings=settings, variables=named)
    await bench.boot()
    bench.skip()
    return bench


def blocks(bench: Bench) -> Personality201:
    assert isinstance(bench.personality, Personality201)
    return bench.personality


async def install(bench: Bench, pem: str, kind: str = ROOT) -> dict[str, Any]:
    payload = {"certificateType": kind, "certificate": pem}
    answer: dict[str, Any] = await bench.request("InstallCertificate", payload)
    return answer


async def listed(bench: Bench, *kinds: str) -> list[dict[str, Any]]:
    payload = {"certificateType": list(kinds)} if kinds else {}
    answer = await bench.request("GetInstalledCertificateIds", payload)
    found: list[dict[str, Any]] = answer.get("certificateHashDataChain", [])
    assert answer["status"] == ("Accepted" if found else "NotFound")
    return found


async def delete(bench: Bench, item: dict[str, Any]) -> str:
    data = {"certificateHashData": item["certificateHashData"]}
    return str((await bench.request("DeleteCertificate", data))["status"])


async def trigger(bench: Bench, kind: str = "ChargingStation") -> str:
    word = {"requestedMessage": f"Sign{kind}Certificate"}
    return str((await bench.request("TriggerMessage", word))["status"])


async def csr(bench: Bench, kind: str = "ChargingStation") -> str:
    assert await trigger(bench, kind) == "Accepted"
    return str(bench.sent("SignCertificate")[-1]["csr"])


async def sign(bench: Bench, chain: str, kind: str | None = STATION) -> dict[str, Any]:
    payload = {"certificateChain": chain} | ({"certificateType": kind} if kind else {})
    answer: dict[str, Any] = await bench.request("CertificateSigned", payload)
    return answer


async def get(bench: Bench, variable: str) -> str:
    asked = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": variable}}
    answer = await bench.request("GetVariables", {"getVariableData": [asked]})
    return str(answer["getVariableResult"][0]["attributeValue"])


def told(bench: Bench) -> list[str]:
    return [event["type"] for event in bench.sent("SecurityEventNotification")]


async def renewed(bench: Bench, root: Authority) -> OwnChain:
    await bench.advance(1)
    pair = sign_request(root, await csr(bench), now=bench.now)
    assert (await sign(bench, pair.chain_pem))["status"] == "Accepted"
    return blocks(bench).certificates.book.own_chains()[0]


async def relink(bench: Bench) -> None:
    await bench.offline()
    await bench.online()


# ---------------------------------------------------------------- M03 to M05


async def test_M03_to_M05_roots_by_kind(bench201: Make, root: Authority) -> None:
    """CE-01, CE-03, CE-04; M03.FR.02 to .04, M04.FR.02 and .04, M05.FR.02."""
    bench = await station(bench201)
    assert await listed(bench) == []
    kinds = [ROOT, "MORootCertificate", "V2GRootCertificate", "ManufacturerRootCertificate"]
    for kind in kinds:
        other = make_authority(kind, now=NOW)
        assert await install(bench, other.certificate_pem, kind) == {"status": "Accepted"}
    assert [item["certificateType"] for item in await listed(bench)] == kinds
    (one,) = await listed(bench, "MORootCertificate")
    assert await get(bench, "CertificateEntries") == "4"
    assert await delete(bench, one) == "Accepted"
    assert await delete(bench, one) == "NotFound"
    assert len(await listed(bench, ROOT, "V2GRootCertificate")) == 2
    assert await get(bench, "CertificateEntries") == "3"


async def test_M05_FR_07_what_is_no_root_is_rejected(bench201: Make, root: Authority) -> None:
    bench = await station(bench201)
    for pem in (
        "nonsense",
        make_station(root, SERIAL, "CSO", now=NOW).certificate_pem,
        make_authority("Late", flaw=Flaw.EXPIRED, now=NOW).certificate_pem,
        make_authority("Short", key=KeyKind.RSA_1024, now=NOW).certificate_pem,
        root.certificate_pem * 2,
    ):
        answer = await install(bench, pem)
        assert answer["status"] == "Rejected"
        assert answer["statusInfo"]["reasonCode"] == "InvalidCertificate"


async def test_M05_FR_06_full_store(bench201: Make, root: Authority) -> None:
    bench = await station(bench201)
    for number in range(20):
        made = make_authority(f"Root {number}", now=NOW)
        assert (await install(bench, made.certificate_pem))["status"] == "Accepted"
    answer = await install(bench, root.certificate_pem)
    assert answer["status"] == "Rejected"
    assert answer["statusInfo"]["reasonCode"] == "OutOfStorage"
    # M05.FR.17: one that is there already is replaced
    assert await install(bench, made.certificate_pem) == {"status": "Accepted"}
    assert len(await listed(bench)) == 20


async def test_M05_FR_09_to_13_root_under_the_additional_check(
    bench201: Make, root: Authority
) -> None:
    """CE-02, errata #31."""
    bench = await station(bench201, SecurityCtrlr__AdditionalRootCertificateCheck="true")
    await install(bench, root.certificate_pem)
    stranger = make_authority("Stranger", now=NOW)
    assert (await install(bench, stranger.certificate_pem))["status"] == "Rejected"
    heir = make_authority("Heir", above=root, now=NOW)
    assert (await install(bench, heir.certificate_pem))["status"] == "Accepted"
    book = blocks(bench).certificates.book
    assert (book.roots("CSMS"), book.fallback_roots()) == (
        [heir.certificate_pem],
        [root.certificate_pem],
    )
    book.connected_with(None, server=[der(heir.certificate_pem)])
    assert book.fallback_roots() == []


def der(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)


async def test_M04_root_in_use_and_the_last_one_under_TLS_stay(
    bench201: Make, root: Authority
) -> None:
    """M04.FR.03 with its note."""
    bench = await station(bench201, profile=2)
    await install(bench, root.certificate_pem)
    (mine,) = await listed(bench)
    assert await delete(bench, mine) == "Failed"
    await install(bench, make_authority("Other", now=NOW).certificate_pem)
    book = blocks(bench).certificates.book
    book.connected_with(None, server=[b"leaf", der(root.certificate_pem)])
    mine, other = await listed(bench)
    assert await delete(bench, mine) == "Failed"
    assert await delete(bench, other) == "Accepted"


async def test_last_root_without_TLS_may_go(bench201: Make, root: Authority) -> None:
    """M04, remark: it is possible to delete the last one."""
    bench = await station(bench201, profile=1)
    await install(bench, root.certificate_pem)
    (mine,) = await listed(bench)
    assert await delete(bench, mine) == "Accepted"


# ---------------------------------------------------------------- A02


async def test_A02_certificate_is_asked_for_taken_and_used(bench201: Make, root: Authority) -> None:
    """CE-05, CE-07; A02.FR.02, .03, .08 (errata 2.9), .13."""
    bench = await station(bench201, profile=3)
    await install(bench, root.certificate_pem)
    request = x509.load_pem_x509_csr((await csr(bench)).encode())
    assert request.subject.rfc4514_string() == f"O=Forecourt,CN={SERIAL}"
    assert bench.sent("SignCertificate")[-1]["certificateType"] == STATION
    before = bench.csms.connection
    pair = sign_request(root, bench.sent("SignCertificate")[-1]["csr"], now=NOW)
    assert await sign(bench, pair.chain_pem) == {"status": "Accepted"}
    assert bench.csms.connection > before
    assert len(blocks(bench).certificates.book.own_chains()) == 1
    assert await listed(bench, CHAIN) == []
    # M04.FR.06
    from app.ocpp.shared.certificates import x509 as ours

    (data, *_) = ours.facts(pair.certificate_pem, [root.certificate_pem]).hashes
    assert await delete(bench, {"certificateHashData": data.payload()}) == "Failed"


@pytest.mark.parametrize(
    "flaw",
    [
        Flaw.EXPIRED,
        Flaw.NOT_YET_VALID,
        Flaw.WRONG_NAME,
        Flaw.WRONG_OPERATOR,
        Flaw.WRONG_KEY,
        Flaw.SELF_SIGNED,
    ],
)
async def test_A02_FR_07_and_20_bad_certificate_ends_the_request(
    bench201: Make, root: Authority, flaw: Flaw
) -> None:
    """Errata #29 and #30: also one that is not yet valid; nothing is asked again by itself."""
    bench = await station(bench201, SecurityCtrlr__CertSigningWaitMinimum="60")
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await csr(bench), flaw=flaw, now=NOW)
    answer = await sign(bench, pair.chain_pem)
    assert answer["status"] == "Rejected"
    assert told(bench)[-1] == "InvalidChargingStationCertificate"
    assert blocks(bench).certificates.book.own_chains() == []
    await bench.advance(7200)
    assert len(bench.sent("SignCertificate")) == 1
    pair = sign_request(root, await csr(bench), now=bench.now)
    assert (await sign(bench, pair.chain_pem))["status"] == "Accepted"


async def test_A02_FR_16_chain_that_is_too_long(bench201: Make, root: Authority) -> None:
    bench = await station(bench201, SecurityCtrlr__MaxCertificateChainSize="100")
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await csr(bench), now=NOW)
    assert (await sign(bench, pair.chain_pem))["status"] == "Rejected"


async def test_A02_FR_17_to_19_back_off(bench201: Make) -> None:
    """CE-06, TC_A_23: after 60 s, after 120 s, and then no more until it is triggered."""
    bench = await station(
        bench201,
        SecurityCtrlr__CertSigningWaitMinimum="60",
        SecurityCtrlr__CertSigningRepeatTimes="1",
    )
    first = await csr(bench)
    for seconds, count in ((59, 1), (2, 2), (118, 2), (2, 3), (7200, 3)):
        await bench.advance(seconds)
        assert len(bench.sent("SignCertificate")) == count, seconds
    assert {request["csr"] for request in bench.sent("SignCertificate")} == {first}
    assert await csr(bench) != first


async def test_A02_FR_17_to_19_back_off_of_a_request_that_was_not_answered(
    bench201: Make, root: Authority
) -> None:
    """It may have arrived: it is repeated like one that was accepted, on the same link, and its certificate
    is taken."""
    bench = await station(
        bench201,
        SecurityCtrlr__CertSigningWaitMinimum="60",
        SecurityCtrlr__CertSigningRepeatTimes="1",
    )
    await install(bench, root.certificate_pem)
    bench.csms.on("SignCertificate", MUTE)
    first = await csr(bench)
    for seconds, count in ((59, 1), (2, 2), (118, 2), (2, 3), (7200, 3)):
        await bench.advance(seconds)
        assert len(bench.sent("SignCertificate")) == count, seconds
    assert {request["csr"] for request in bench.sent("SignCertificate")} == {first}
    await bench.offline()
    await bench.online()
    assert len(bench.sent("SignCertificate")) == 3
    pair = sign_request(root, first, now=NOW)
    assert (await sign(bench, pair.chain_pem))["status"] == "Accepted"


async def test_late_certificate_is_taken_after_the_back_off(
    bench201: Make, root: Authority
) -> None:
    """TC_A_23, step 11: for the CSR of the first request."""
    bench = await station(
        bench201,
        SecurityCtrlr__CertSigningWaitMinimum="60",
        SecurityCtrlr__CertSigningRepeatTimes="0",
    )
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await csr(bench), now=NOW)
    await bench.advance(3600)
    assert (await sign(bench, pair.chain_pem))["status"] == "Accepted"
    count = len(bench.sent("SignCertificate"))
    await bench.advance(3600)
    assert len(bench.sent("SignCertificate")) == count


async def test_A02_FR_17_certificate_that_comes_before_the_time_out_ends_the_back_off(
    bench201: Make, root: Authority
) -> None:
    bench = await station(bench201, SecurityCtrlr__CertSigningWaitMinimum="60")
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await csr(bench), now=NOW)
    hold = bench.csms.hold("SignCertificate")
    waiting = asyncio.ensure_future(bench.advance(61))
    await hold.arrived()
    payload = {"certificateChain": pair.chain_pem, "certificateType": STATION}
    answer = await bench.start_request("CertificateSigned", payload)
    assert answer[2] == {"status": "Accepted"}
    bench.expire()
    await waiting
    count = len(bench.sent("SignCertificate"))
    await bench.advance(3600)
    assert len(bench.sent("SignCertificate")) == count
    assert blocks(bench).certificates.signing.requests() == []


async def test_A02_a_request_that_was_asked_anew_leaves_after_the_one_before(
    bench201: Make,
) -> None:
    bench = await station(bench201)
    hold = bench.csms.hold("SignCertificate")
    word = {"requestedMessage": "SignChargingStationCertificate"}
    bench.start_request("TriggerMessage", word)
    first = (await hold.arrived()).payload["csr"]
    bench.start_request("TriggerMessage", word)
    for _ in range(200):
        (request,) = blocks(bench).certificates.signing.requests()
        if request.csr != first:
            break
        await asyncio.sleep(0.01)
    hold.answer({"status": "Accepted"})
    await bench.rest()
    assert [sent["csr"] for sent in bench.sent("SignCertificate")] == [first, request.csr]
    assert [item.state for item in blocks(bench).certificates.signing.requests()] == ["waiting"]


async def test_A02_certificate_for_a_key_that_is_given_up_meanwhile_is_rejected(
    bench201: Make, root: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await csr(bench), now=NOW)
    checked = signing._check_chain

    def slowly(text: str, **named: Any) -> Any:
        found = checked(text, **named)
        asyncio.run_coroutine_threadsafe(_forget(), loop).result(5)
        return found

    async def _forget() -> None:
        requests = blocks(bench).certificates.signing
        requests._forget(Purpose.STATION)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(signing, "_check_chain", slowly)
    answer = await sign(bench, pair.chain_pem)
    assert answer["status"] == "Rejected"
    assert blocks(bench).certificates.book.own_chains() == []


async def test_back_off_goes_on_over_a_power_cut(bench201: Make) -> None:
    bench = await station(bench201, SecurityCtrlr__CertSigningWaitMinimum="60")
    first = await csr(bench)
    await bench.advance(40)
    await bench.kill_and_restart()
    await bench.advance(19)
    assert len(bench.sent("SignCertificate")) == 1
    await bench.advance(2)
    assert [request["csr"] for request in bench.sent("SignCertificate")] == [first, first]


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, Refuse("InternalError")])
async def test_A02_FR_12_request_that_is_refused_is_forgotten(bench201: Make, answer: Any) -> None:
    bench = await station(bench201, SecurityCtrlr__CertSigningWaitMinimum="60")
    bench.csms.on("SignCertificate", answer)
    await csr(bench)
    assert bench.store.rows("keys") == []
    await bench.advance(3600)
    assert len(bench.sent("SignCertificate")) == 1


async def test_A02_FR_10_the_certificate_that_is_not_in_use_is_discarded(
    bench201: Make, root: Authority
) -> None:
    """Errata 2.9."""
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    book = blocks(bench).certificates.book
    old = await renewed(bench, root)
    book.connected_with(old)
    new = await renewed(bench, root)
    assert [chain.id for chain in book.own_chains()] == [new.id, old.id]
    book.connected_with(new)
    await relink(bench)
    assert [chain.id for chain in book.own_chains()] == [new.id]
    assert len(bench.store.rows("keys")) == 1
    assert "DiscardedRenewedClientCertificate" not in told(bench)


async def test_A02_FR_28_and_29_new_one_that_does_not_work_is_discarded_and_told(
    bench201: Make, root: Authority
) -> None:
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    book = blocks(bench).certificates.book
    old = await renewed(bench, root)
    book.connected_with(old)
    new = await renewed(bench, root)
    await bench.offline()
    book.failed_with(new)
    assert book.own_chains()[0].id == old.id
    book.connected_with(old)
    await bench.online()
    assert [chain.id for chain in book.own_chains()] == [old.id]
    assert told(bench)[-1] == "DiscardedRenewedClientCertificate"


async def test_A00_FR_430_expired_certificate_is_still_tried(
    bench201: Make, root: Authority
) -> None:
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    chain = await renewed(bench, root)
    bench.clock.correct(NOW + timedelta(days=400))
    assert blocks(bench).certificates.book.own_chains() == [chain]


async def test_A03_renewal_by_itself_a_month_before_the_end(
    bench201: Make, root: Authority
) -> None:
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    await renewed(bench, root)
    bench.clock.correct(NOW + timedelta(days=334))
    await bench.advance(1)
    assert len(bench.sent("SignCertificate")) == 1
    bench.clock.correct(NOW + timedelta(days=336))
    await bench.advance(1)
    assert len(bench.sent("SignCertificate")) == 2


async def test_certificate_of_a_short_life_is_not_renewed_at_once(
    bench201: Make, root: Authority
) -> None:
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await csr(bench), days=3, now=NOW)
    assert (await sign(bench, pair.chain_pem))["status"] == "Accepted"
    await bench.advance(3600)
    assert len(bench.sent("SignCertificate")) == 1


async def test_certificate_that_comes_near_its_end_is_not_followed_by_another_at_once(
    bench201: Make, root: Authority
) -> None:
    """As they do where the station's clock is ahead of that of the authority."""
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    end = NOW + timedelta(days=365)
    bench.clock.correct(end - timedelta(days=27))
    pair = sign_request(root, await csr(bench), now=NOW)
    assert (await sign(bench, pair.chain_pem))["status"] == "Accepted"
    for days, count in ((17, 1), (2, 2)):  # a third of 27 days before the end
        bench.clock.correct(bench.now + timedelta(days=days))
        await bench.advance(1)
        assert len(bench.sent("SignCertificate")) == count


async def test_trigger_in_pending_is_followed(bench201: Make) -> None:
    """A00.FR.806: credentials are renewed while the station is held in Pending."""
    bench = bench201(settings={"identity": Identity(serial_number=SERIAL)})
    bench.csms.boot_status = "Pending"
    await bench.online()
    assert await trigger(bench) == "Accepted"
    assert len(bench.sent("SignCertificate")) == 1


async def test_keys_may_be_RSA(bench201: Make) -> None:
    """A00.FR.502."""
    bench = await station(bench201, SecurityCtrlr__CertificateKeyType="RSA-2048")
    request = x509.load_pem_x509_csr((await csr(bench)).encode())
    assert request.public_key().key_size == 2048  # type: ignore[union-attr]


async def test_certificate_of_another_type_is_rejected(bench201: Make, root: Authority) -> None:
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await csr(bench), now=NOW)
    assert (await sign(bench, pair.chain_pem, V2G))["status"] == "Rejected"


# ---------------------------------------------------------------- V2G: M03.FR.05, M06


@pytest.fixture(scope="module")
def v2g() -> Authority:
    url = "http://ocsp.example/"
    top = make_authority("V2G root", now=NOW)
    first = make_authority("V2G sub 1", above=top, now=NOW, ocsp_url=url)
    return make_authority("V2G sub 2", above=first, now=NOW, ocsp_url=url)


async def with_v2g(bench: Bench, v2g: Authority) -> str:
    """The serial number of the V2G certificate, which is installed."""
    await install(bench, v2g.root.certificate_pem, "V2GRootCertificate")
    pair = sign_request(v2g, await csr(bench, "V2G"), now=NOW)
    assert await sign(bench, pair.chain_pem, V2G) == {"status": "Accepted"}
    return f"{pair.serial:X}"


async def test_M03_FR_05_V2G_chain_with_its_children(bench201: Make, v2g: Authority) -> None:
    bench = await station(bench201, ISO15118Ctrlr__SeccId="DEABC")
    serial = await with_v2g(bench, v2g)
    subject = x509.load_pem_x509_csr(bench.sent("SignCertificate")[-1]["csr"].encode()).subject
    assert subject.rfc4514_string() == "C=DE,O=Forecourt,CN=DEABC"
    (item,) = await listed(bench, CHAIN)
    assert item["certificateHashData"]["serialNumber"] == serial
    assert len(item["childCertificateHashData"]) == 2
    assert blocks(bench).certificates.book.own_chains() == []
    assert await delete(bench, item) == "Accepted"
    assert await listed(bench, CHAIN) == []
    assert bench.store.rows("keys") == []


async def test_A02_FR_15_newer_V2G_certificate_replaces_the_old(
    bench201: Make, v2g: Authority
) -> None:
    bench = await station(bench201)
    await with_v2g(bench, v2g)
    serial = await with_v2g(bench, v2g)
    (item,) = await listed(bench, CHAIN)
    assert item["certificateHashData"]["serialNumber"] == serial


async def test_M06_status_is_fetched_for_each_and_again_after_a_week(
    bench201: Make, v2g: Authority
) -> None:
    """M06.FR.06, .07 and .10; the answer is a real OCSP response."""
    bench = await station(bench201)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        result = ocsp_status(v2g, request["ocspRequestData"], NOW)
        return {"status": "Accepted", "ocspResult": result} if result else {"status": "Failed"}

    bench.csms.on("GetCertificateStatus", answer)
    serial = await with_v2g(bench, v2g)
    asked = [item["ocspRequestData"] for item in bench.sent("GetCertificateStatus")]
    # the first sub CA is of the root, which names no responder
    assert [item["responderURL"] for item in asked] == ["http://ocsp.example/"] * 2
    kept = blocks(bench).certificates.status.cached(serial)
    assert kept is not None
    status = ocsp.load_der_ocsp_response(b64decode(kept)).certificate_status
    assert status is ocsp.OCSPCertStatus.GOOD
    mine = [item for item in asked if item["serialNumber"] == serial]
    await bench.advance(6 * 86_400)
    of_mine = [
        item["ocspRequestData"]
        for item in bench.sent("GetCertificateStatus")
        if item["ocspRequestData"]["serialNumber"] == serial
    ]
    assert of_mine == mine
    await bench.advance(2 * 86_400)
    assert (
        sum(
            item["ocspRequestData"]["serialNumber"] == serial
            for item in bench.sent("GetCertificateStatus")
        )
        == 2
    )


async def test_A00_FR_428_combined_certificate_is_both(bench201: Make, root: Authority) -> None:
    """A02.FR.13: without certificateType it is for both."""
    bench = await station(bench201)
    await install(bench, root.certificate_pem)
    pair = sign_request(root, await csr(bench, "Combined"), now=NOW)
    assert "certificateType" not in bench.sent("SignCertificate")[-1]
    assert await sign(bench, pair.chain_pem, None) == {"status": "Accepted"}
    book = blocks(bench).certificates.book
    assert [chain.purpose for chain in book.own_chains()] == [Purpose.COMBINED]
    (item,) = await listed(bench, CHAIN)
    assert await delete(bench, item) == "Failed"


# ---------------------------------------------------------------- secrets


async def test_private_keys_lie_in_their_table_and_nowhere_else(
    bench201: Make, root: Authority
) -> None:
    """A02.FR.05."""
    bench = await station(bench201, profile=3)
    await install(bench, root.certificate_pem)
    chain = await renewed(bench, root)
    needle = chain.key_pem.split("-----")[2].replace("\n", "")[30:90]
    said = "".join(str(line) for line in bench.csms.lines) + repr(bench.events) + repr(chain)
    assert needle not in said.replace("\\n", "")
    assert needle not in repr(bench.personality.settings())
    for table in ("certificates", "certificate_requests", "certificates_in_use", "security_log"):
        assert "PRIVATE" not in repr(bench.store.rows(table))
    assert "PRIVATE" in repr(bench.store.rows("keys"))
