"""JSON-RPC 2.0 over one channel: requests take effect in the order they arrive and never block the reader.

A method does its work at once and may return an awaitable for what takes time; the answer follows when
that is done. So `plug_in` after `ocpp.call` is done before the call's answer comes, but never before the
call was begun.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any

from app.kernel.catalogue import Catalogue
from app.kernel.forms import Slip, Unfilled, fill
from app.kernel.text import Text
from app.runtime.control import CONTROL_VERSION
from app.runtime.control.errors import Code, ControlError

log = logging.getLogger(__name__)

Send = Callable[[str], None]
Method = Callable[[Any], Any]
"""Takes its parameters (a form, or nothing) and gives a result or a coroutine of one."""

Table = dict[str, tuple[type[Any], Method]]
"""Methods by name, each with the form of its parameters."""


class Dispatcher:
    """One channel's protocol. `send` takes a line of JSON without its end, `catalogue` has the sentences."""

    def __init__(self, methods: Table, send: Send, catalogue: Catalogue | None = None) -> None:
        self._methods = methods
        self._send = send
        self._catalogue = catalogue or Catalogue({})
        self._tasks: set[asyncio.Task[None]] = set()

    def ready(self, **params: Any) -> None:
        """The first line: who answers here."""
        self.notify("ready", {"control": CONTROL_VERSION, **params})

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self._send(_dump({"jsonrpc": "2.0", "method": method, "params": params}))

    async def receive(self, text: str) -> None:
        """Begin what a line asks for. Returns when it has been begun."""
        try:
            message = json.loads(text, parse_constant=_no_number, parse_float=_number)
        except (ValueError, RecursionError) as error:
            self._answer(None, ControlError(Code.PARSE, f"not JSON: {error}"))
            return
        if isinstance(message, list) and message:
            for item in message:
                await self._begin(item)
            return
        await self._begin(message)

    async def close(self) -> None:
        """Give up what is still waited for; each such request is told so."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self, message: Any) -> None:
        wanted = isinstance(message, dict) and "id" in message
        ident = message["id"] if wanted and _is_id(message["id"]) else None
        try:
            result = self._call(message)
        except ControlError as error:
            self._fail(ident, error, wanted or error.code is Code.INVALID_REQUEST)
            return
        except Exception as error:
            log.exception("control method failed")
            self._fail(ident, _fault(error), wanted)
            return
        if asyncio.iscoroutine(result):
            task = asyncio.get_running_loop().create_task(self._finish(result, ident, wanted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # a task that is cancelled before its first step has never touched the coroutine
            task.add_done_callback(lambda _: result.close())
            await asyncio.sleep(0)  # begun before the next line is looked at
        elif wanted:
            self._send(_dump({"jsonrpc": "2.0", "id": ident, "result": result}))

    def _call(self, message: Any) -> Any:
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            raise ControlError(
                Code.INVALID_REQUEST, 'a request is {"jsonrpc": "2.0", "method": ...}'
            )
        name = message.get("method")
        if not isinstance(name, str):
            raise ControlError(Code.INVALID_REQUEST, '"method" must be a string')
        if not _is_id(message.get("id")):
            raise ControlError(Code.INVALID_REQUEST, '"id" must be a string or a number')
        if name not in self._methods:
            raise ControlError(Code.METHOD_NOT_FOUND, f"there is no method {name!r}")
        form, method = self._methods[name]
        params = message.get("params", {})
        if not isinstance(params, dict):
            raise ControlError(Code.INVALID_PARAMS, '"params" must be an object with names')
        try:
            parsed = fill(form, params)
        except Unfilled as error:
            said = "; ".join(self._catalogue.render(_sentence(slip)) for slip in error.slips)
            raise ControlError(Code.INVALID_PARAMS, said) from None
        return method(parsed)

    async def _finish(self, work: Coroutine[Any, Any, Any], ident: Any, wanted: bool) -> None:
        try:
            result = await work
        except ControlError as error:
            self._fail(ident, error, wanted)
        except asyncio.CancelledError:
            self._fail(ident, ControlError(Code.ENDED), wanted)
            raise
        except Exception as error:
            log.exception("control method failed")
            self._fail(ident, _fault(error), wanted)
        else:
            if wanted:
                self._send(_dump({"jsonrpc": "2.0", "id": ident, "result": result}))

    def _fail(self, ident: Any, error: ControlError, wanted: bool) -> None:
        """A request without an id gets no answer, also when it fails: then stderr has it."""
        if wanted:
            self._answer(ident, error)
        else:
            log.warning("a request without an id failed: %s", error.message)

    def _answer(self, ident: Any, error: ControlError) -> None:
        self._send(_dump({"jsonrpc": "2.0", "id": ident, "error": error.body()}))


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int | float | None) and not isinstance(value, bool)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _number(text: str) -> float:
    """A number that can be written again: JSON knows no infinity."""
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _fault(error: Exception) -> ControlError:
    return ControlError(Code.INTERNAL, f"{type(error).__name__}: {error}")


def _dump(message: dict[str, Any]) -> str:
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    # half a character, as a request may have it, goes back as JSON's own escape
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _sentence(slip: Slip) -> Text:
    if slip.rule is not None:
        return slip.rule
    name = slip.place if slip.path else "params"
    if slip.kind in ("missing", "unknown"):
        return Text(f"control.param_{slip.kind}", {"name": name})
    return Text("control.param_wrong", {"name": name, "expected": slip.expected})
