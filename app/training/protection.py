"""How a training CSMS on its own protects its links: a password, and certificates in a folder of the user's.

What the folder lacks is made: `root`, which signs all; `server`, which the CSMS shows (`server-<flaw>` with
a flaw); `station`, for a station that has none of its own yet. Each is a `.pem` with its `.key` (0600).
`stations.json` keeps what this CSMS knows of the stations whose certificates it judges, over its restarts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.training.owners import OPERATOR, Owners
from app.training.settings import CsmsSettings

ROOT, SERVER, STATION = "root", "server", "station"
STATIONS = "stations.json"
FIRST = "CP-1"
"""Whose certificate is made where nobody says it."""


def protected(
    settings: CsmsSettings,
    profile: int,
    *,
    password: str | None = None,
    folder: Path | None = None,
    host: str = "localhost",
    flaw: str = "none",
    station: str = FIRST,
) -> CsmsSettings:
    """Settings for a security profile. `host` and `flaw` are of a server certificate that is made now.

    `station` is the id whose certificate is made where there is none.

    With a folder the root also signs what stations ask for. Slow. Raises OSError and ValueError.
    """
    settings = replace(settings, password=password if profile in (1, 2) else None)
    if folder is None:
        return settings
    from app.training.certificates import Flaw, make_authority, make_server, make_station
    from app.training.lab_tls import host_of, read, read_pair, server_context, write

    if not _there(folder, ROOT):
        write(folder, ROOT, make_authority("Forecourt training root"))
    root = read(folder, ROOT)
    server = SERVER if flaw == "none" else f"{SERVER}-{flaw}"
    if not _there(folder, server):
        write(folder, server, make_server(root, host, flaw=Flaw(flaw)))
    if profile == 3 and not _there(folder, STATION):
        write(folder, STATION, make_station(root, station, OPERATOR))
    settings = replace(settings, authority=root, owners=Owners.of(folder / STATIONS))
    if profile >= 2:
        clients = [root] if profile == 3 else []
        pair = read_pair(folder, server)
        settings.tls = server_context(pair, clients=clients)
        settings.name = host if Flaw(flaw) is Flaw.WRONG_NAME else host_of(pair) or host
    return settings


def _there(folder: Path, name: str) -> bool:
    return (folder / f"{name}.pem").is_file() and (folder / f"{name}.key").is_file()
