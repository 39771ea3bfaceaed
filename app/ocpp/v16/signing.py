"""Readings under the meter's signature, where the keys ask for it (OCA application note v1.0, part 3)."""

from __future__ import annotations

import asyncio
import json
from functools import partial

from app.kernel.bus import Entry
from app.ocpp.context import BootState, Context, Payload
from app.ocpp.events import SettingChanged
from app.ocpp.personality import Block
from app.ocpp.shared import signed_meter
from app.ocpp.shared.signed_meter import Driver, MeterKeys, Register
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connectors
from app.ocpp.v16.keys import REGISTER
from app.ocpp.v16.measurands import Wish
from app.ocpp.v16.rows import Transaction
from app.station.kinds import Current
from app.station.snapshot import MeterReading

SAMPLED, STARTED, UPDATED = (
    "SampledDataSignReadings",
    "SampledDataSignStartedReadings",
    "SampledDataSignUpdatedReadings",
)
ALIGNED, ALIGNED_UPDATED = "AlignedDataSignReadings", "AlignedDataSignUpdatedReadings"
WITH_KEY = "PublicKeyWithSignedMeterValue"

_MOMENTS = {"Transaction.Begin": signed_meter.BEGIN, "Transaction.End": signed_meter.END}
_FLAGS = {
    "backoffice": "OCPP_AUTH",
    "list": "OCPP_WHITELIST",
    "cache": "OCPP_CACHE",
    "remote": "OCPP_RS",
}


class Signing(Block):
    """Which readings are signed, and how they look then."""

    def __init__(
        self, ctx: Context, config: Configuration, connectors: Connectors, boot: Boot
    ) -> None:
        super().__init__(ctx)
        self._config, self._boot = config, boot
        self.keys = MeterKeys(ctx.store, (item.evse for item in connectors))
        for item in connectors:
            name = f"MeterPublicKey{item.number}"
            config.give(name, partial(self.keys.known_key, item.evse), self._ready)

    def restore(self) -> None:
        self.keys.restore()

    def start(self) -> None:
        self.on(self._on_setting, SettingChanged)
        self._prepare()

    # ------------------------------------------------------------------ which

    def sent(self, context: str) -> bool:
        """Is a reading that goes out in MeterValues signed?"""
        if context == "Sample.Clock":
            return self._config.flag(ALIGNED) and self._config.flag(ALIGNED_UPDATED)
        which = STARTED if context == "Transaction.Begin" else UPDATED
        return self._config.flag(SAMPLED) and self._config.flag(which)

    def kept(self) -> bool:
        """Are the first and the last reading in StopTransaction signed?"""
        return self._config.flag(SAMPLED) or self._config.flag(ALIGNED)

    def kept_wishes(self, wishes: list[Wish]) -> list[Wish]:
        """What StopTransaction tells of begin and end: with a signature at least the register, which a
        bill is made of, though no list names it."""
        bill = Wish(REGISTER)
        return wishes if bill in wishes else [bill, *wishes]

    # ------------------------------------------------------------------ how

    def signed(
        self, value: Payload, transaction: Transaction, reading: MeterReading, context: str
    ) -> Payload:
        """The MeterValue with the register's total in a signed container in place of the bare number.

        Inside the store step of the reading.
        """
        samples = [
            self._container(sample, transaction, reading, context)
            if sample["measurand"] == REGISTER and "phase" not in sample
            else sample
            for sample in value["sampledValue"]
        ]
        return {**value, "sampledValue": samples}

    def _container(
        self, sample: Payload, transaction: Transaction, reading: MeterReading, context: str
    ) -> Payload:
        evse = transaction.evse
        register = Register(
            reading.at,
            reading.energy_import,
            _MOMENTS.get(context, signed_meter.WITHIN),
            self.ctx.station.snapshot().evse(evse).current is Current.DC,
            self._boot.state is BootState.ACCEPTED,
        )
        driver = Driver(transaction.token, _FLAGS.get(transaction.by, "OCPP_NONE"))
        text = signed_meter.container(self.keys, evse, self.ctx.settings.identity, driver, register)
        told = signed_meter.signed_value(text, self._public_key(transaction))
        return {**sample, "format": "SignedData", "value": json.dumps(told)}

    def _public_key(self, transaction: Transaction) -> str:
        when = self._config.text(WITH_KEY)
        if when == "Never" or (when == "OncePerTransaction" and transaction.key_told):
            return ""
        transaction.key_told = True
        return self.keys.public_key(transaction.evse)

    # ------------------------------------------------------------------ keys

    def _on_setting(self, entry: Entry) -> None:
        if isinstance(entry.event, SettingChanged) and entry.event.name in (SAMPLED, ALIGNED):
            self._prepare()

    def _prepare(self) -> None:
        """Have the keys ready before the first reading is to be signed: that library loads slowly."""
        if self.kept():
            self.ctx.spawn(self._ready(), "meter keys")

    async def _ready(self) -> None:
        # also where no key is missing: it loads the library beside the loop
        pairs = await asyncio.to_thread(signed_meter.make_pairs, len(self.keys.missing))
        if pairs:
            self.keys.make(pairs)
