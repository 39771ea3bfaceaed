"""Every sentence that the rooms ask for by its short key is in the catalogue, with the gaps it is given."""

from __future__ import annotations

import ast
from pathlib import Path

from app.ocpp.v16.keys import KEYS
from tests.support import texts

CHECKOUT = Path(__file__).resolve().parents[3]
NAMES = {"say", "self._say", "room._say", "words"}


def asked() -> list[texts.TextUse]:
    """The sentences of the rooms as if they had been asked for by their whole names."""
    found = []
    for path in sorted((CHECKOUT / "ui" / "station_rooms").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            ident = texts._ident(node.args[0])
            if ast.unparse(node.func) not in NAMES or ident is None:
                continue
            params = None
            if all(word.arg is not None for word in node.keywords):
                params = frozenset(str(word.arg) for word in node.keywords)
            found.append(texts.TextUse(f"rooms.{ident}", params, node.lineno))
    return found


def test_what_the_rooms_say_is_in_the_catalogue() -> None:
    catalogue = texts.read_catalogue(CHECKOUT, "en")
    uses = asked()
    assert len(uses) > 60
    assert [problem for use in uses for problem in texts.problems(use, catalogue)] == []


def test_every_standard_key_of_16_says_what_it_does() -> None:
    catalogue = texts.read_catalogue(CHECKOUT, "en")
    offered = [key.name for key in KEYS if key.offered]
    assert [name for name in offered if f"rooms.key.{name}" not in catalogue] == []
