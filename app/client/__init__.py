"""A small client of the control API, for scripts and tests in Python. Standard library only.

    from app.client import Station

    with Station("--csms", "ws://127.0.0.1:9000", "--id", "CP-1") as station:
        station.wait_accepted()
        station.do("station.plug_in", evse=1)
        station.do("station.present_card", id_token="04A29F1C")
        station.wait({"event": "TransactionStarted"}, timeout=20)

`pytest -p app.client.pytest_plugin` gives tests a `forecourt` fixture that starts stations.
"""

from app.client.station import Refused, Station, StationError

__all__ = ["Refused", "Station", "StationError"]
