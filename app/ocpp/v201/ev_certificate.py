"""Contract certificates of cars. Part 2, M01 and M02: what a car says is handed on, the answer goes back.

The station reads neither: both are EXI of ISO 15118 in base64, of which it knows only the length.
"""

from __future__ import annotations

import base64

from app.ocpp.context import Context, Payload
from app.ocpp.events import EvCertificateAnswered
from app.ocpp.personality import Block
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning

ACTION = "Get15118EVCertificate"
SCHEMA = "urn:iso:15118:2:2013:MsgDef"
ENABLED = "ISO15118Ctrlr.ContractCertificateInstallationEnabled"

LONGEST = 5600
"""Characters of a request (exiRequest)."""

EXAMPLE = base64.b64encode(b"\x80\x98\x02" + bytes(61)).decode()
"""Stands for what a car says where nobody gives it: the head of an EXI message of ISO 15118-2, no more."""


class EvCertificates(Block):
    """Hands on one request at a time."""

    def __init__(self, ctx: Context, model: DeviceModel, office: Provisioning) -> None:
        super().__init__(ctx)
        self._model, self._office = model, office
        self._asking = False

    def ask(self, *, update: bool, exi: str | None = None) -> bool:
        """A car wants a new contract certificate, or its own renewed; False where it cannot be asked for.

        Raises ValueError for a request that is too long.
        """
        if exi is not None and len(exi) > LONGEST:
            raise ValueError(f"exi: more than {LONGEST} characters")
        if self._asking or not self._enabled():
            return False
        if not (self._office.accepted and self.ctx.calls.online):
            return False
        self._asking = True
        action = "Update" if update else "Install"
        self.ctx.spawn(self._hand_on(action, exi or EXAMPLE), "contract certificate")
        return True

    def _enabled(self) -> bool:
        try:
            return self._model.flag(ENABLED)
        except KeyError:  # ISO 15118 is switched off
            return False

    async def _hand_on(self, action: str, exi: str) -> None:
        request: Payload = {"iso15118SchemaVersion": SCHEMA, "action": action, "exiRequest": exi}
        try:
            answer = await self._office.say(ACTION, request)
        finally:
            self._asking = False
        status = None if answer is None else str(answer["status"])
        said = "" if answer is None else str(answer["exiResponse"])
        self.ctx.bus.publish(EvCertificateAnswered(action, status, said))
