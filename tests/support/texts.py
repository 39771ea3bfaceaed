"""Reads which texts the source names and which sentences the catalogues hold."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ANYTHING = "\0"


@dataclass(frozen=True, slots=True)
class TextUse:
    """One `Text(...)` in the source.

    `ident` has a placeholder for each part that is only known when the program runs; `params` is
    None when the names of the parameters are only known then.
    """

    ident: str
    params: frozenset[str] | None
    line: int


def _translations(checkout: Path) -> Path:
    return checkout / "resources" / "translations"


def languages(checkout: Path) -> list[str]:
    """The languages there are besides English."""
    folder = _translations(checkout)
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name != "en")


def catalogue_files(checkout: Path, language: str) -> list[Path]:
    """The files that hold a language, one an area."""
    return sorted((_translations(checkout) / language).glob("*.toml"))


def read_file(path: Path) -> dict[str, str]:
    """The sentences of one file by id, whether written flat or in tables."""
    with path.open("rb") as stream:
        return dict(_flat(tomllib.load(stream), ""))


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def read_catalogue(checkout: Path, language: str) -> dict[str, str]:
    """All sentences of a language by id; an id that stands in two files is an error."""
    sentences: dict[str, str] = {}
    for path in catalogue_files(checkout, language):
        for ident, sentence in read_file(path).items():
            assert ident not in sentences, f"{ident} stands in two files, one is {path.name}"
            sentences[ident] = sentence
    return sentences


def gaps(sentence: str) -> set[str]:
    """The names in braces of a sentence."""
    fields = (name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)
    return {re.split(r"[.\[]", name)[0] for name in fields}


def uses(tree: ast.Module) -> Iterator[TextUse]:
    """Every `Text(...)` whose id can be read, at least in part."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _called(node.func) != "Text":
            continue
        arguments = dict(zip(("id", "params"), node.args, strict=False))
        arguments |= {word.arg: word.value for word in node.keywords if word.arg}
        ident = _ident(arguments.get("id"))
        if ident is not None:
            yield TextUse(ident, _params(arguments.get("params")), node.lineno)


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _ident(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else ANYTHING for part in node.values
        )
    return None


def _params(node: ast.expr | None) -> frozenset[str] | None:
    if node is None:
        return frozenset()
    if not isinstance(node, ast.Dict):
        return None
    names = set()
    for key in node.keys:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            return None
        names.add(key.value)
    return frozenset(names)


def problems(use: TextUse, catalogue: Mapping[str, str]) -> list[str]:
    """What is wrong with a use of a text, in words; empty when nothing is."""
    if ANYTHING in use.ident:
        pattern = re.escape(use.ident).replace(re.escape(ANYTHING), ".+")
        if any(re.fullmatch(pattern, ident) for ident in catalogue):
            return []
        return [f"no sentence fits {use.ident.replace(ANYTHING, '{…}')}"]
    if use.ident not in catalogue:
        return [f"{use.ident} has no sentence"]
    if use.params is None:
        return []
    wanted = gaps(catalogue[use.ident])
    found = []
    if missing := sorted(wanted - use.params):
        found.append(f"{use.ident} lacks {', '.join(missing)}")
    if idle := sorted(use.params - wanted):
        found.append(f"{use.ident} has no gap for {', '.join(idle)}")
    return found
