"""Certificates for TLS tests, made with the openssl command: two authorities and what they signed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

CA_SETTINGS = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates, with any dates."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.root = self.folder / "root.pem"
        self._key = self.folder / "root.key"
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self._key, "-out", self.root, "-days", "3650", "-subj", f"/CN={name}")  # fmt: skip
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n")
        self._settings = self.folder / "ca.cnf"
        self._settings.write_text(CA_SETTINGS.format(folder=self.folder))

    def sign(
        self,
        name: str,
        names: str = "DNS:localhost,IP:127.0.0.1",
        *,
        begin: str = "20200101000000Z",
        end: str = "20491231235959Z",
    ) -> Pair:
        """A certificate for these names, valid between these dates."""
        key, request, out = (self.folder / f"{name}{ending}" for ending in (".key", ".csr", ".pem"))
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", request, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}")  # fmt: skip
        run("ca", "-config", self._settings, "-batch", "-notext", "-cert", self.root, "-keyfile",
            self._key, "-in", request, "-out", out, "-startdate", begin, "-enddate", end)  # fmt: skip
        return Pair(out, key)


def run(*arguments: object) -> None:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
