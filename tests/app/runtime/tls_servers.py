"""TLS servers that can be set up wrongly: one of asyncio, one of the openssl command."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

HTTP_ANSWER = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Setup:
    """How a server is set up. `clients`: the authority whose certificates it wants to see."""

    certificate: Path
    key: Path
    clients: Path | None = None
    version: ssl.TLSVersion | None = None
    """The only one that it speaks."""
    ciphers: str | None = None

    def but(self, **changes: object) -> Setup:
        return replace(self, **changes)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def asyncio_server(setup: Setup) -> AsyncIterator[int]:
    """Answers each request with 400; yields the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(setup.ciphers or "ALL:@SECLEVEL=0")
    context.load_cert_chain(setup.certificate, setup.key)
    if setup.version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1, on purpose
            context.minimum_version = context.maximum_version = setup.version
    if setup.clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(setup.clients)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HTTP_ANSWER)
            await writer.drain()
        writer.close()

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, __: None)  # handshakes that fail are what this is for
    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


_FLAGS = {
    ssl.TLSVersion.TLSv1_1: "-tls1_1",
    ssl.TLSVersion.TLSv1_2: "-tls1_2",
    ssl.TLSVersion.TLSv1_3: "-tls1_3",
}


@contextlib.asynccontextmanager
async def openssl_server(setup: Setup) -> AsyncIterator[int]:
    """`openssl s_server`; yields the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www"]
    command += ["-cert", str(setup.certificate), "-cert_chain", str(setup.certificate)]
    command += ["-key", str(setup.key), "-cipher", setup.ciphers or "ALL:@SECLEVEL=0"]
    if setup.version is not None:
        command.append(_FLAGS[setup.version])
    if setup.clients is not None:
        command += ["-Verify", "3", "-verify_return_error", "-CAfile", str(setup.clients)]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(10):
            while b"ACCEPT" not in said:
                line = await process.stdout.readline()
                assert line, said.decode()
                said += line
        yield port
    finally:
        process.kill()
        await process.communicate()
