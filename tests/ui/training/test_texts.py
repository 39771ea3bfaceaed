"""Every sentence that the rooms ask for by its short key is in the catalogue, with the gaps it is given."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support import texts

CHECKOUT = Path(__file__).resolve().parents[3]
AREAS = {"training": "training_panel", "connect": "connect", "cards": "cards"}


def asked(room: str) -> list[texts.TextUse]:
    """The sentences of a room as if they had been asked for by their whole names."""
    found = []
    for path in sorted((CHECKOUT / "ui" / room).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = ast.unparse(node.func)
            if name not in {"say", "self._say"}:
                continue
            ident = texts._ident(node.args[0])
            if ident is None:
                continue
            params = None
            if all(word.arg is not None for word in node.keywords):
                params = frozenset(str(word.arg) for word in node.keywords)
            found.append(texts.TextUse(f"{AREAS[room]}.{ident}", params, node.lineno))
    return found


@pytest.mark.parametrize("room", AREAS)
def test_what_a_room_says_is_in_the_catalogue(room: str) -> None:
    catalogue = texts.read_catalogue(CHECKOUT, "en")
    uses = asked(room)
    assert len(uses) > 10
    assert [problem for use in uses for problem in texts.problems(use, catalogue)] == []
