"""Plain TCP connections to where a WebSocket would go, for questions that are none."""

from __future__ import annotations

import socket
from collections.abc import Callable

from websockets.proxy import parse_proxy, prepare_connect_request
from websockets.uri import parse_uri

from app.runtime.wire import OpenRequest

LONGEST_HEAD = 65_536
"""Bytes that a proxy may say before its answer ends."""


def dialer(request: OpenRequest) -> Callable[[], socket.socket]:
    """Makes connections to the server, through the proxy if there is one. Blocking."""
    where = request.where

    def direct() -> socket.socket:
        return socket.create_connection((where.host, where.port), request.timeout)

    if request.proxy is None:
        return direct
    proxy = parse_proxy(request.proxy)

    def through() -> socket.socket:
        link = socket.create_connection((proxy.host, proxy.port), request.timeout)
        try:
            link.sendall(prepare_connect_request(proxy, parse_uri(where.url)))
            _read_answer(link)
        except BaseException:
            link.close()
            raise
        return link

    return through


def _read_answer(link: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        data = link.recv(4096)
        if not data or len(head) > LONGEST_HEAD:
            raise ConnectionError("no usable answer from the proxy")
        head += data
    status = head.split(b"\r\n", 1)[0].decode("latin-1")
    if " 2" not in status[8:11]:
        raise ConnectionError(f"the proxy says {status}")
