"""A station in a file: configuration, state and journal as one archive, without passwords and keys.

This is how a bug is handed over. The archive is a zip of four texts; the state is written as lines of JSON
and not as a database, so that what comes from elsewhere is read as data and nothing else. Tokens, ids and
certificates stay; a private key or a password never leaves, and what needs one does not go with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from app import __version__
from app.kernel.forms import as_data
from app.kernel.text import Text
from app.kernel.units import stamp
from app.ocpp.redaction import is_secret_name, redact, without_url_password
from app.runtime.config import Config
from app.runtime.documents import Document, documents
from app.runtime.problems import ConfigError
from app.runtime.settings import load
from app.runtime.store import Store, StoreError
from app.trace.journal import FILE_NAME as JOURNAL

FORMAT = "forecourt-station"
VERSION = 1
MANIFEST, CONFIG, STATE = "manifest.json", "config.json", "state.jsonl"
STATE_FILE = "state.sqlite3"

LIMITS = {
    MANIFEST: 64 * 1024,
    CONFIG: 4 * 1024 * 1024,
    STATE: 256 * 1024 * 1024,
    JOURNAL: 1024 * 1024 * 1024,
}
"""Bytes each part may have: what claims or holds more is no archive of a station."""

_LONGEST_ROW = 16 * 1024 * 1024
_LEFT_OUT_TABLES = frozenset({"keys", "meter_keys", "certificates_in_use", "certificate_requests"})
"""Private keys, and what is of no use without them."""
_FILES_ELSEWHERE = (
    *("password", "password_file", "ca", "certificate", "key"),
    *("ca_folder", "certificate_folder", "crl"),
)
_PRIVATE_KEY = re.compile(r"PRIVATE KEY")
_CHUNK = 1024 * 1024


class ArchiveError(Exception):
    """An archive cannot be written or used; `text` says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.id} {dict(text.params)}")
        self.text = text


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds: rows of the state, events of the journal."""

    station: str
    rows: int
    events: int


# ---------------------------------------------------------------- without secrets


def redacted_config(config: Config) -> dict[str, Any]:
    """A configuration file that says the same, without secrets and without files of this computer."""
    tree = as_data(config, without_none=True)
    hardware = tree.pop("hardware")
    tree.pop("blueprint", None)
    for name in _FILES_ELSEWHERE:
        tree["security"].pop(name, None)
    tree["keys"] = {name: part for name, part in tree["keys"].items() if not is_secret_name(name)}
    tree["variables"] = [
        part for part in tree["variables"] if not is_secret_name(part.get("variable", ""))
    ]
    clean = _clean(tree)
    assert isinstance(clean, dict)
    return {**clean, **hardware}


def redacted_row(table: str, key: str, row: dict[str, Any]) -> dict[str, Any] | None:
    """A row of the state without secrets; None for one that is nothing else."""
    if table in _LEFT_OUT_TABLES or is_secret_name(key):
        return None
    if table == "certificates" and row.get("use") != "root":
        return None
    # first what a row must not have at all, then what frames must not show: a message may wait in it
    clean = json.loads(redact(None, None, json.dumps(_clean(row))))
    assert isinstance(clean, dict)
    return clean


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _clean(item)
            for name, item in value.items()
            if name != "vpn" and not _is_secret(name, item)
        }
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, str):
        return "" if _PRIVATE_KEY.search(value) else without_url_password(value)
    return value


def _is_secret(name: str, value: Any) -> bool:
    return is_secret_name(name) and isinstance(value, str | int | float) and value is not True


# ---------------------------------------------------------------- writing


def export_station(target: Path, config: Config, store: Store, folder: Path | None) -> Contents:
    """Write the archive; `folder` holds the journal. Raises ArchiveError, StoreError.

    Blocks for as long as the disk takes: give it a thread of its own only where the store allows.
    """
    return write_archive(target, config, documents(store), folder)


def _redacted_lines(state: Iterable[Document]) -> Iterator[str]:
    """The state as lines of JSON."""
    for table, key, row in state:
        clean = redacted_row(table, key, row)
        if clean is not None:
            line = {"table": table, "key": key, "row": clean}
            yield json.dumps(line, separators=(",", ":"), ensure_ascii=False)


def write_archive(
    target: Path, config: Config, state: Iterable[Document], folder: Path | None
) -> Contents:
    """Write these documents without their secrets: work for a thread. Raises ArchiveError, StoreFailed."""
    lines = list(_redacted_lines(state))
    part = Path(f"{target}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        ):
            found = _write(archive, config, lines, folder)
        part.replace(target)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        with contextlib.suppress(OSError, ValueError):
            part.unlink()
        why = getattr(error, "strerror", None) or str(error)
        params = {"file": str(target), "why": why}
        raise ArchiveError(Text("archive.cannot_write", params)) from error
    return found


def _write(
    archive: zipfile.ZipFile, config: Config, lines: list[str], folder: Path | None
) -> Contents:
    parts: dict[str, dict[str, Any]] = {}
    settings = json.dumps(redacted_config(config), indent=2, ensure_ascii=False) + "\n"
    parts[CONFIG] = _add(archive, CONFIG, io.BytesIO(settings.encode()))
    state = "".join(f"{line}\n" for line in lines)
    parts[STATE] = _add(archive, STATE, io.BytesIO(state.encode("utf-8", "surrogatepass")))
    journal = folder / JOURNAL if folder else None
    if journal is not None and journal.exists():
        with journal.open("rb") as file:
            parts[JOURNAL] = _add(archive, JOURNAL, file)
    else:
        parts[JOURNAL] = _add(archive, JOURNAL, io.BytesIO(b""))
    found = Contents(config.hardware.name, len(lines), parts[JOURNAL]["lines"])
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "program": __version__,
        "made": stamp(datetime.now(UTC)),
        "station": found.station,
        "parts": parts,
    }
    archive.writestr(MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return found


def _add(archive: zipfile.ZipFile, name: str, source: BinaryIO) -> dict[str, Any]:
    digest, size, lines = hashlib.sha256(), 0, 0
    with archive.open(name, "w", force_zip64=True) as part:
        while chunk := source.read(_CHUNK):
            if size + len(chunk) > LIMITS[name]:
                break  # the manifest says how much there is
            digest.update(chunk)
            size += len(chunk)
            lines += chunk.count(b"\n")
            part.write(chunk)
    return {"bytes": size, "lines": lines, "sha256": digest.hexdigest()}


# ---------------------------------------------------------------- reading


def import_station(source: Path, folder: Path) -> Contents:
    """Make a state folder of an archive: all of it, or nothing. Raises ArchiveError.

    The folder must hold no station yet. Start it with `--config <folder>/config.json --state-dir <folder>`.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise ArchiveError(Text("archive.folder_in_use", {"folder": str(folder)}))
        folder.parent.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=".forecourt-", dir=folder.parent))
    except OSError as error:
        raise _cannot_make(folder, error) from error
    try:
        found = _unpack(source, workshop)
        if folder.exists():
            folder.rmdir()
        workshop.rename(folder)
    except StoreError as error:
        raise ArchiveError(error.text) from error
    except OSError as error:
        raise _cannot_make(folder, error) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return found


def _cannot_make(folder: Path, error: OSError) -> ArchiveError:
    params = {"folder": str(folder), "why": error.strerror or str(error)}
    return ArchiveError(Text("archive.cannot_make", params))


def _unpack(source: Path, folder: Path) -> Contents:
    try:
        with _opened(source) as archive:
            _check_names(source, archive)
            manifest = _manifest(source, archive)
            for name in (CONFIG, JOURNAL, STATE):
                _extract(source, archive, name, folder / name, manifest["parts"][name])
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise ArchiveError(Text("archive.broken", {"file": str(source)})) from error
    except zipfile.zlib.error as error:  # type: ignore[attr-defined]  # what zipfile itself uses
        raise ArchiveError(Text("archive.broken", {"file": str(source)})) from error
    try:
        config = load(folder / CONFIG)
    except ConfigError as error:
        raise ArchiveError(error.problems[0]) from error
    count = _fill(source, folder)
    return Contents(config.hardware.name, count, manifest["parts"][JOURNAL]["lines"])


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except OSError as error:
        params = {"file": str(source), "why": error.strerror or str(error)}
        raise ArchiveError(Text("archive.unreadable", params)) from error


def _check_names(source: Path, archive: zipfile.ZipFile) -> None:
    """Exactly our parts, each once: nothing else is ever looked at, least of all as a path."""
    names = [info.filename for info in archive.infolist()]
    if sorted(names) != sorted(LIMITS):
        raise ArchiveError(Text("archive.foreign", {"file": str(source)}))
    for info in archive.infolist():
        if info.file_size > LIMITS[info.filename] or info.flag_bits & 1:
            raise ArchiveError(
                Text("archive.too_large", {"file": str(source), "part": info.filename})
            )


def _manifest(source: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    with archive.open(MANIFEST) as part:
        text = part.read(LIMITS[MANIFEST] + 1)
    try:
        manifest = json.loads(text)
        version, parts = manifest["version"], manifest["parts"]
        good = manifest["format"] == FORMAT and isinstance(version, int)
        good = good and all(_is_part(parts[name]) for name in (CONFIG, STATE, JOURNAL))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArchiveError(Text("archive.foreign", {"file": str(source)})) from error
    if not good:
        raise ArchiveError(Text("archive.foreign", {"file": str(source)}))
    if version > VERSION:
        params = {"file": str(source), "program": str(manifest.get("program", "?"))[:40]}
        raise ArchiveError(Text("archive.newer", params))
    return dict(manifest)


def _is_part(part: Any) -> bool:
    counts = isinstance(part["bytes"], int) and isinstance(part["lines"], int)
    return counts and isinstance(part["sha256"], str)


def _extract(
    source: Path, archive: zipfile.ZipFile, name: str, target: Path, told: dict[str, Any]
) -> None:
    """Copy a part, never more than it may have, and only what the manifest tells of."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with archive.open(name) as part, os.fdopen(descriptor, "wb") as file:
        while chunk := part.read(_CHUNK):
            size += len(chunk)
            if size > LIMITS[name]:
                raise ArchiveError(Text("archive.too_large", {"file": str(source), "part": name}))
            digest.update(chunk)
            file.write(chunk)
    if size != told["bytes"] or digest.hexdigest() != told["sha256"]:
        raise ArchiveError(Text("archive.broken", {"file": str(source)}))


def _fill(source: Path, folder: Path) -> int:
    """Write the rows into a fresh state file; the text they came as is not kept."""
    path, count = folder / STATE, 0
    store = Store(folder / STATE_FILE)
    try:
        with store.step():
            for line in _lines(path):
                try:
                    entry = json.loads(line)
                    table, key, row = entry["table"], entry["key"], entry["row"]
                    good = isinstance(table, str) and isinstance(key, str) and isinstance(row, dict)
                except (ValueError, KeyError, TypeError, RecursionError):
                    good = False
                if not good:
                    raise ArchiveError(Text("archive.broken", {"file": str(source)}))
                store.put(table, key, row)
                count += 1
    finally:
        store.close()
    path.unlink()
    return count


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_ROW):
            yield line
