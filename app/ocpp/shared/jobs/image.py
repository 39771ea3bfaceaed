"""The firmware images that this station takes.

Any file that is not empty will do. Two lines at its beginning are understood, and both may be left out:

    Forecourt firmware 2.1.0
    sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

The first gives the version that the station has afterwards; without it the version is read from the
file's name (`anything-2.1.0.bin`), and where that has none either it is the name itself. The second is the
SHA-256 of all bytes behind it; an image that does not fit it is not installed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

LONGEST_VERSION = 50
_HEADER = re.compile(rb"Forecourt firmware ([!-~][ -~]{0,49})\r?\n")
_CHECKSUM = re.compile(rb"sha256 ([0-9A-Fa-f]{64})\r?\n")
_IN_NAME = re.compile(r"v?(\d+(?:\.\d+)+(?:[-+][0-9A-Za-z.]+)?)")
_ENDING = re.compile(r"\.(?:bin|img|fw|zip|hex|tar|tgz|gz|swu|raucb)$", re.IGNORECASE)
_HEAD = 256


class BadImage(ValueError):
    """A file that cannot be installed; `why` is empty or checksum."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Image:
    version: str
    size: int
    """Bytes."""


def read_image(path: Path, name: str) -> Image:
    """Look at a downloaded file; `name` is the one it had on the server. Raises BadImage, OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if not head:
            raise BadImage("empty")
        header = _HEADER.match(head)
        begin = header.end() if header else 0
        checksum = _CHECKSUM.match(head, begin)
        if checksum is not None:
            file.seek(checksum.end())
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum[1].decode().lower():
                raise BadImage("checksum")
    version = header[1].decode().strip() if header else version_of_name(name)
    return Image(version[:LONGEST_VERSION], path.stat().st_size)


def version_of_name(name: str) -> str:
    """The version that a file's name speaks of."""
    bare = name
    while (shorter := _ENDING.sub("", bare)) != bare:
        bare = shorter
    found = _IN_NAME.findall(bare)
    return str(found[-1]) if found else (bare or "unknown")


def build_image(version: str, content: bytes) -> bytes:
    """An image with both lines."""
    digest = hashlib.sha256(content).hexdigest()
    return f"Forecourt firmware {version}\nsha256 {digest}\n".encode() + content
