"""Files over HTTP and HTTPS."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from app.kernel.text import Text
from app.ocpp.context import Progress, TransferFailed, TransferTrouble
from app.transfer.places import Place, place, shown
from app.transfer.sink import PIECE, Sink, pieces, size_of

if TYPE_CHECKING:
    from app.transfer.port import Terms, Way

REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_TROUBLES = {
    400: TransferTrouble.BAD_MESSAGE,
    401: TransferTrouble.DENIED,
    403: TransferTrouble.DENIED,
    404: TransferTrouble.NOT_FOUND,
    405: TransferTrouble.NOT_SUPPORTED,
    407: TransferTrouble.DENIED,
    410: TransferTrouble.NOT_FOUND,
    411: TransferTrouble.BAD_MESSAGE,
    415: TransferTrouble.BAD_MESSAGE,
    422: TransferTrouble.BAD_MESSAGE,
    501: TransferTrouble.NOT_SUPPORTED,
}


async def download(where: Place, into: Path, way: Way, terms: Terms, progress: Progress) -> None:
    """GET a file. Raises TransferFailed."""
    with Sink(into, terms.max_size, progress) as sink, _explained(where):
        async with (
            _session(way, terms) as session,
            _following(session, "GET", where, way) as answer,
        ):
            _check(answer, where)
            sink.expect(answer.content_length)
            async for data in answer.content.iter_chunked(PIECE):
                sink.take(data)
            sink.complete(where)


async def upload(
    where: Place, source: Path, name: str, way: Way, terms: Terms, progress: Progress
) -> None:
    """PUT a file, or POST it as a form where the server knows no PUT. Raises TransferFailed."""
    with _explained(where):
        async with _session(way, terms) as session:
            target = place(where.file_url(name)) if not where.names_a_file else where
            target = _with_credentials(target, where)
            async with _following(session, "PUT", target, way, (source, progress)) as answer:
                if answer.status not in (405, 501):
                    _check(answer, target)
                    return
            await _post(session, where, source, name, way)
            progress(size_of(source), size_of(source))


async def _post(
    session: aiohttp.ClientSession, where: Place, source: Path, name: str, way: Way
) -> None:
    with source.open("rb") as file:
        form = aiohttp.FormData()
        form.add_field("file", file, filename=name, content_type="application/octet-stream")
        async with session.post(
            URL(where.url, encoded=True), data=form, headers=_headers(where), proxy=way.proxy
        ) as answer:
            _check(answer, where)


@asynccontextmanager
async def _session(way: Way, terms: Terms) -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=terms.connect, sock_read=terms.silence, ceil_threshold=60
    )
    connector = aiohttp.TCPConnector(ssl=way.tls)
    async with aiohttp.ClientSession(
        timeout=timeout,
        connector=connector,
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
    ) as session:
        yield session


@asynccontextmanager
async def _following(
    session: aiohttp.ClientSession,
    method: str,
    where: Place,
    way: Way,
    body: tuple[Path, Progress] | None = None,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer at the end of all redirections. Credentials go to the first server only."""
    goal = where
    for _ in range(REDIRECTS + 1):
        length = {"Content_Length": str(size_of(body[0]))} if body else {}
        async with session.request(
            method,
            URL(goal.url, encoded=True),
            data=_stream(*body) if body else None,
            headers=_headers(goal, **length),
            proxy=way.proxy,
            allow_redirects=False,
        ) as answer:
            if answer.status not in _MOVED or "Location" not in answer.headers:
                yield answer
                return
            moved = str(answer.url.join(URL(answer.headers["Location"])))
        goal = _moved(goal, place(moved))
    params = {"server": where.server}
    raise TransferFailed(Text("transfer.redirected", params), TransferTrouble.BAD_MESSAGE)


def _moved(before: Place, after: Place) -> Place:
    if after.scheme not in ("http", "https"):
        params = {"url": shown(after.url), "scheme": after.scheme}
        raise TransferFailed(Text("transfer.scheme", params), TransferTrouble.NOT_SUPPORTED)
    same = (before.scheme, before.host, before.port) == (after.scheme, after.host, after.port)
    return _with_credentials(after, before) if same else after


def _with_credentials(goal: Place, source: Place) -> Place:
    return Place(
        goal.scheme,
        goal.host,
        goal.port,
        goal.path,
        goal.url,
        source.user,
        source.password,
        goal.names_a_file,
    )


async def _stream(source: Path, progress: Progress) -> AsyncIterator[bytes]:
    for data in pieces(source, progress):
        yield data


def _headers(where: Place, **others: str) -> dict[str, str]:
    """Credentials go to the first server only, so they are put in for each request anew."""
    headers = {name.replace("_", "-"): value for name, value in others.items()}
    if where.user is not None:
        login = f"{where.user}:{where.password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    return headers


def _check(answer: aiohttp.ClientResponse, where: Place) -> None:
    """Raises TransferFailed for an answer that is no yes."""
    if 200 <= answer.status < 300:
        return
    trouble = _TROUBLES.get(answer.status, TransferTrouble.REFUSED)
    params = {
        "server": where.server,
        "code": answer.status,
        "reason": (answer.reason or "")[:80],
        "path": where.path or "/",
    }
    keys = {
        TransferTrouble.DENIED: "transfer.denied",
        TransferTrouble.NOT_FOUND: "transfer.not_found",
        TransferTrouble.NOT_SUPPORTED: "transfer.not_supported",
    }
    raise TransferFailed(Text(keys.get(trouble, "transfer.refused"), params), trouble)


@contextmanager
def _explained(where: Place) -> Iterator[None]:
    """What the library raises, as a sentence."""
    try:
        yield
    except TransferFailed:
        raise
    except (TimeoutError, aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
        raise _failed(error, where) from error


def _failed(error: Exception, where: Place) -> TransferFailed:
    def told(key: str, trouble: TransferTrouble, why: str = "") -> TransferFailed:
        return TransferFailed(
            Text(f"transfer.{key}", {"server": where.server, "why": why}), trouble
        )

    unreachable, cut = TransferTrouble.UNREACHABLE, TransferTrouble.CUT_OFF
    match error:
        case aiohttp.ClientConnectorDNSError():
            return told("no_such_host", unreachable)
        case aiohttp.ClientConnectorCertificateError():
            why = getattr(error.certificate_error, "verify_message", "") or "certificate"
            return told("not_trusted", unreachable, why)
        case aiohttp.ClientConnectorSSLError():
            return told("tls", unreachable, error.strerror or "TLS")
        case aiohttp.ConnectionTimeoutError():
            return told("no_connection_in_time", unreachable)
        case aiohttp.ClientConnectorError():
            return told("unreachable", unreachable, error.os_error.strerror or str(error.os_error))
        case aiohttp.ServerTimeoutError() | TimeoutError():
            return told("silent", cut)
        case aiohttp.ClientHttpProxyError():
            return told("proxy", unreachable, str(error.status))
        case aiohttp.ClientResponseError():
            return told("not_understood", TransferTrouble.BAD_MESSAGE, error.message[:80])
        case aiohttp.InvalidURL() | ValueError():
            return told("bad_address", TransferTrouble.BAD_MESSAGE)
        case _:
            return told("cut_off", cut)
