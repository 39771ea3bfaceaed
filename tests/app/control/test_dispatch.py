"""JSON-RPC 2.0: what is asked is begun in order, what is wrong is told with a code of the table."""

import asyncio
import json

import pytest

from app.kernel.catalogue import Catalogue
from app.kernel.forms import form
from app.runtime.control.dispatch import Dispatcher
from app.runtime.control.errors import Code, ControlError


@form
class Number:
    value: int = 0


class Desk:
    """A dispatcher with three methods and what it sent."""

    def __init__(self):
        self.sent = []
        self.order = []
        self.gate = asyncio.Event()
        methods = {
            "now": (Number, self._now),
            "later": (Number, self._later),
            "fail": (Number, self._fail),
            "break": (Number, self._break),
        }
        self.dispatcher = Dispatcher(methods, lambda line: self.sent.append(json.loads(line)))

    def _now(self, params):
        self.order.append(("now", params.value))
        return {"value": params.value}

    async def _later(self, params):
        self.order.append(("later", params.value))
        await self.gate.wait()
        if params.value < 0:
            raise ControlError(Code.WAIT_TIMED_OUT)
        if params.value > 100:
            raise RuntimeError("too big")
        return params.value

    def _fail(self, params):
        raise ControlError(Code.UNKNOWN_NAME, "no such thing", {"name": "x"})

    def _break(self, params):
        raise RuntimeError("boom")

    async def ask(self, method, ident=1, **params):
        request = {"jsonrpc": "2.0", "id": ident, "method": method, "params": params}
        await self.dispatcher.receive(json.dumps(request))


@pytest.fixture
async def desk():
    return Desk()


async def test_a_method_answers_with_its_result(desk):
    await desk.ask("now", 7, value=3)
    assert desk.sent == [{"jsonrpc": "2.0", "id": 7, "result": {"value": 3}}]


async def test_what_takes_time_does_not_hold_up_what_follows_but_is_begun_first(desk):
    await desk.ask("later", 1, value=1)
    await desk.ask("now", 2, value=2)
    assert desk.order == [("later", 1), ("now", 2)]
    assert [line["id"] for line in desk.sent] == [2]
    desk.gate.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [line["id"] for line in desk.sent] == [2, 1]


async def test_a_notification_is_done_and_not_answered(desk):
    await desk.dispatcher.receive('{"jsonrpc":"2.0","method":"now","params":{"value":5}}')
    desk.gate.set()
    await desk.dispatcher.receive('{"jsonrpc":"2.0","method":"later"}')
    await asyncio.sleep(0)
    assert desk.order == [("now", 5), ("later", 0)]
    assert desk.sent == []


async def test_what_is_wrong_with_a_notification_is_said_on_stderr_alone(desk, caplog):
    for method in ("fail", "break", "other"):
        await desk.dispatcher.receive(json.dumps({"jsonrpc": "2.0", "method": method}))
    desk.gate.set()
    await desk.dispatcher.receive('{"jsonrpc":"2.0","method":"later","params":{"value":-1}}')
    await asyncio.sleep(0)
    assert desk.sent == []
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 4
    assert "no such thing" in said[0]


async def test_an_id_that_is_none_is_not_repeated(desk):
    await desk.dispatcher.receive('{"jsonrpc":"2.0","id":{"a":1},"method":"now"}')
    assert desk.sent[0]["id"] is None


async def test_a_batch_is_done_in_order(desk):
    one = {"jsonrpc": "2.0", "id": 1, "method": "now"}
    await desk.dispatcher.receive(json.dumps([one, one | {"id": 2}]))
    assert [line["id"] for line in desk.sent] == [1, 2]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", Code.PARSE),
        ("[" * 100_000, Code.PARSE),
        ("[]", Code.INVALID_REQUEST),
        ("5", Code.INVALID_REQUEST),
        ('{"id":1,"method":"now"}', Code.INVALID_REQUEST),
        ('{"jsonrpc":"2.0","id":1}', Code.INVALID_REQUEST),
        ('{"jsonrpc":"2.0","id":[],"method":"now"}', Code.INVALID_REQUEST),
        ('{"jsonrpc":"2.0","id":true,"method":"now"}', Code.INVALID_REQUEST),
        ('{"jsonrpc":"2.0","id":1e999,"method":"now"}', Code.PARSE),
        ('{"jsonrpc":"2.0","id":1,"method":"now","params":{"value":NaN}}', Code.PARSE),
        ('{"jsonrpc":"2.0","id":1,"method":"other"}', Code.METHOD_NOT_FOUND),
        ('{"jsonrpc":"2.0","id":1,"method":"now","params":[1]}', Code.INVALID_PARAMS),
        ('{"jsonrpc":"2.0","id":1,"method":"now","params":{"valu":1}}', Code.INVALID_PARAMS),
        ('{"jsonrpc":"2.0","id":1,"method":"now","params":{"value":"x"}}', Code.INVALID_PARAMS),
        ('{"jsonrpc":"2.0","id":1,"method":"fail"}', Code.UNKNOWN_NAME),
        ('{"jsonrpc":"2.0","id":1,"method":"break"}', Code.INTERNAL),
    ],
)
async def test_a_wrong_request_is_told_with_its_code(desk, line, code):
    await desk.dispatcher.receive(line)
    assert desk.sent[0]["error"]["code"] == code
    assert desk.sent[0]["error"]["message"]


async def test_errors_that_come_later_are_told_too(desk):
    desk.gate.set()
    await desk.ask("later", 1, value=-1)
    await desk.ask("later", 2, value=101)
    await asyncio.sleep(0)
    codes = [line["error"]["code"] for line in desk.sent]
    assert codes == [Code.WAIT_TIMED_OUT, Code.INTERNAL]


async def test_closing_gives_up_what_is_waited_for(desk):
    await desk.ask("later", 1, value=1)
    await desk.dispatcher.receive('{"jsonrpc":"2.0","method":"later"}')
    await desk.dispatcher.close()
    assert [(line["id"], line["error"]["code"]) for line in desk.sent] == [(1, Code.ENDED)]


async def test_ready_names_the_version_of_the_api(desk):
    desk.dispatcher.ready(port=5)
    assert desk.sent[0]["method"] == "ready"
    assert desk.sent[0]["params"] == {"control": "1.0", "port": 5}


async def test_a_wrong_parameter_is_told_by_its_name_and_what_was_expected():
    sent = []
    dispatcher = Dispatcher({"now": (Number, lambda _: None)}, sent.append, Catalogue.load())
    for params in ({"value": "x"}, {"value": 1.5, "valu": 1}):
        request = {"jsonrpc": "2.0", "id": 1, "method": "now", "params": params}
        await dispatcher.receive(json.dumps(request))
    assert [json.loads(line)["error"]["message"] for line in sent] == [
        "value: expected a whole number",
        "value: expected a whole number; valu is unknown here",
    ]


async def test_half_a_character_comes_back_as_it_was_escaped():
    """As it is, it could be written nowhere, and would end the channel."""
    sent = []
    dispatcher = Dispatcher({"now": (Number, lambda _: None)}, sent.append, Catalogue.load())
    request = r'{"jsonrpc":"2.0","id":1,"method":"now","params":{"\ud800ü":1}}'
    await dispatcher.receive(request)
    assert sent[0].encode()
    assert r"\ud800ü is unknown here" in sent[0]
    assert json.loads(sent[0])["error"]["code"] == Code.INVALID_PARAMS
