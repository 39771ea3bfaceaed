"""What a car asks for through us: contract certificates (M01, M02), and what responders say of ours (M06)."""

from __future__ import annotations

import base64

import pytest

from app.ocpp.events import EvCertificateAnswered
from app.ocpp.shared.security_desk import SecurityDesk
from app.training.certificates import make_authority, revoke, sign_request
from app.training.revocation import ocsp_status
from tests.conformance.v201.conftest import Make, set_variable
from tests.conformance.v201.test_certificates import (
    NOW,
    V2G,
    csr,
    install,
    sign,
    station,
    trigger,
)
from tests.support.back_office import MUTE
from tests.support.harness import Bench

ACTION = "Get15118EVCertificate"
RESPONSE = base64.b64encode(b"for the car alone").decode()


def desk(bench: Bench) -> SecurityDesk:
    found = bench.personality.desk
    assert found is not None
    return found


@pytest.mark.parametrize(("update", "action"), [(False, "Install"), (True, "Update")])
async def test_M01_and_M02_what_a_car_says_is_handed_on_and_the_answer_back(
    bench201: Make, update: bool, action: str
) -> None:
    bench = await station(bench201)
    bench.csms.on(ACTION, {"status": "Accepted", "exiResponse": RESPONSE})
    assert desk(bench).request_contract(update=update, exi="gJgC")
    await bench.rest()
    assert bench.sent(ACTION) == [
        {
            "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
            "action": action,
            "exiRequest": "gJgC",
        }
    ]
    assert bench.happened(EvCertificateAnswered) == [
        EvCertificateAnswered(action, "Accepted", RESPONSE)
    ]


async def test_without_words_of_a_car_the_head_of_a_message_goes_out(bench201: Make) -> None:
    bench = await station(bench201)
    bench.csms.on(ACTION, {"status": "Failed", "exiResponse": ""})
    assert desk(bench).request_contract()
    await bench.rest()
    assert base64.b64decode(bench.sent(ACTION)[0]["exiRequest"])[:3] == b"\x80\x98\x02"
    with pytest.raises(ValueError, match="5600"):
        desk(bench).request_contract(exi="A" * 5601)


async def test_a_back_office_that_says_nothing_is_told_of_and_may_be_asked_again(
    bench201: Make,
) -> None:
    bench = await station(bench201)
    bench.csms.on(ACTION, MUTE)
    assert desk(bench).request_contract()
    assert not desk(bench).request_contract()  # one at a time
    await bench.rest()
    assert bench.happened(EvCertificateAnswered) == [EvCertificateAnswered("Install", None, "")]
    bench.csms.on(ACTION, {"status": "Failed", "exiResponse": ""})
    assert desk(bench).request_contract()
    await bench.rest()
    assert bench.happened(EvCertificateAnswered)[-1].status == "Failed"


async def test_a_car_is_not_heard_where_contracts_are_off_or_nobody_listens(
    bench201: Make,
) -> None:
    bench = await station(bench201)
    await bench.offline()
    assert not desk(bench).request_contract()
    await bench.online()
    name = ("ISO15118Ctrlr", "ContractCertificateInstallationEnabled")
    assert await set_variable(bench, *name, "false") == "Accepted"
    assert not desk(bench).request_contract()
    other = bench201(settings={"features": frozenset({"auth_cache"})})
    await other.boot()
    assert not desk(other).request_contract()
    assert bench.sent(ACTION) == other.sent(ACTION) == []


@pytest.mark.parametrize("kind", ["V2G", "Combined"])
async def test_A02_certificates_for_cars_are_asked_for_only_where_that_is_enabled(
    bench201: Make, kind: str
) -> None:
    """V2GCertificateInstallationEnabled (part 2, 2.14.6)."""
    bench = await station(bench201)
    name = ("ISO15118Ctrlr", "V2GCertificateInstallationEnabled")
    assert await set_variable(bench, *name, "false") == "Accepted"
    assert await trigger(bench, kind) == "Rejected"
    assert await trigger(bench) == "Accepted"
    assert await set_variable(bench, *name, "true") == "Accepted"
    assert await trigger(bench, kind) == "Accepted"


@pytest.mark.parametrize("verdict", ["good", "revoked"])
async def test_M06_what_the_responder_says_is_read_and_shown(bench201: Make, verdict: str) -> None:
    bench = await station(bench201)
    root = make_authority("V2G root", now=NOW)
    authority = make_authority("V2G sub", above=root, now=NOW, ocsp_url="http://ocsp.example/")
    await install(bench, root.certificate_pem, "V2GRootCertificate")
    pair = sign_request(authority, await csr(bench, "V2G"), now=NOW)
    if verdict == "revoked":
        revoke(authority, pair, NOW)
    bench.csms.on("GetCertificateStatus", {"status": "Failed"})
    assert not desk(bench).ask_status()  # there is nothing to ask about
    assert (await sign(bench, pair.chain_pem, V2G))["status"] == "Accepted"
    assert desk(bench).certificates()[-1].ocsp is None

    def answer(request: dict[str, dict[str, str]]) -> dict[str, str]:
        result = ocsp_status(authority, request["ocspRequestData"], NOW)
        assert result is not None
        return {"status": "Accepted", "ocspResult": result}

    bench.csms.on("GetCertificateStatus", answer)
    assert desk(bench).ask_status()
    await bench.rest()
    assert desk(bench).certificates()[-1].ocsp == verdict


async def test_M06_an_answer_that_is_no_OCSP_is_told_as_unreadable(bench201: Make) -> None:
    bench = await station(bench201)
    root = make_authority("V2G root", now=NOW)
    authority = make_authority("V2G sub", above=root, now=NOW, ocsp_url="http://ocsp.example/")
    await install(bench, root.certificate_pem, "V2GRootCertificate")
    pair = sign_request(authority, await csr(bench, "V2G"), now=NOW)
    bench.csms.on("GetCertificateStatus", {"status": "Accepted", "ocspResult": "bm9uZQ=="})
    assert (await sign(bench, pair.chain_pem, V2G))["status"] == "Accepted"
    await bench.rest()
    assert desk(bench).certificates()[-1].ocsp == "unreadable"


async def test_a_security_event_of_the_list_may_be_raised_by_hand(bench201: Make) -> None:
    bench = await station(bench201)
    assert len(desk(bench).kinds) == 21
    desk(bench).raise_event("InvalidFirmwareSignature", "by hand")
    desk(bench).raise_event("VendorsOwn", "", critical=True)
    desk(bench).raise_event("InvalidMessages")
    await bench.rest()
    told = [event["type"] for event in bench.sent("SecurityEventNotification")]
    assert told[-2:] == ["InvalidFirmwareSignature", "VendorsOwn"]
    assert [entry.type for entry in desk(bench).log()][-1] == "InvalidMessages"
