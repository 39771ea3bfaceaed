"""What once did harm to a station: kept, and shot again first in each run.

A shot that did harm at once is a file of its own. Where a sign of life failed some shots later, all shots
since the last one that was seen are kept together; they may be megabytes, and are packed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.ocpp.version import Version
from tests.fuzz.shots import Shot

FOLDER = Path(__file__).parent / "corpus"


def kept(version: Version, folder: Path = FOLDER) -> Iterator[Shot]:
    """The shots of a version, in the order of their files."""
    for file in sorted(folder.glob("*.json*")):
        data = file.read_bytes()
        rows = json.loads(gzip.decompress(data) if file.suffix == ".gz" else data)
        for row in rows:
            if row["version"] == version.value:
                yield Shot.of_row(row)


def keep(shots: Sequence[Shot], version: Version, why: str, folder: Path = FOLDER) -> Path:
    """Put shots that did harm into the corpus."""
    rows = [shot.row(version, why[:500]) for shot in shots]
    data = json.dumps(rows, indent=1, ensure_ascii=True).encode() + b"\n"
    kind = shots[0].kind.replace(" ", "-") if len(shots) == 1 else f"{len(shots)}-shots"
    name = f"{version.value}-{kind}-{hashlib.blake2s(data, digest_size=6).hexdigest()}.json"
    if len(shots) == 1:
        file = folder / name
    else:
        file, data = folder / f"{name}.gz", gzip.compress(data, mtime=0)
    file.write_bytes(data)
    return file
