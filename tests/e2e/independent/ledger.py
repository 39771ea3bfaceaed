"""A back office of 1.6 on `ocpp-csms`, which keeps each transaction; runs in an environment of its own.

in:  {"id": 1, "station": "CP-1", "action": "RemoteStopTransaction", "payload": {"transaction_id": 5}}
out: {"event": "listening", "port": 40123}, {"event": "answer", ...}
     {"event": "transaction", "id": 5, "tag": "...", "start": 0, "stop": 120 | null, "reason": ...}
     {"event": "fault", "text": "..."} for what it could not take
"""

import asyncio
import json
import logging
import sys

import ocpp_csms
from ocpp.v16 import call


def tell(**event):
    print(json.dumps(event), flush=True)


class Faults(logging.Handler):
    """What the program warns of is a fault of the station."""

    def emit(self, record):
        tell(event="fault", text=record.getMessage())


def on_event(event):
    transaction = getattr(event, "transaction", None)
    if transaction is not None:
        tell(
            event="transaction",
            id=transaction.transaction_id,
            tag=transaction.id_tag,
            connector=transaction.connector_id,
            start=transaction.meter_start,
            stop=transaction.meter_stop,
            energy=transaction.energy_wh,
            reason=transaction.stop_reason,
        )
    connector = getattr(event, "connector", None)
    if connector is not None:
        tell(event="status", connector=connector.connector_id, status=str(connector.status))


async def obey(central, order):
    station = central.charge_points[order["station"]]
    request = getattr(call, order["action"])(**order["payload"])
    try:
        answer = await station.async_call(request)
    except ocpp_csms.CsmsError as error:
        tell(event="answer", id=order["id"], error=str(error))
    else:
        tell(event="answer", id=order["id"], payload={"status": str(getattr(answer, "status", ""))})


async def main():
    logging.getLogger().addHandler(Faults(logging.WARNING))
    loop = asyncio.get_running_loop()
    async with ocpp_csms.CentralSystem(host="127.0.0.1", port=0) as central:
        central.add_listener(on_event)
        tell(event="listening", port=central.port)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            await obey(central, json.loads(line))


asyncio.run(main())
