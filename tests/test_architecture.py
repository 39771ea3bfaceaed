"""The layers, held by reading the source: what may not be imported, named or called where.

The direction of imports is checked by import-linter (contracts in pyproject.toml); here is what it
cannot see: what really gets loaded, words, calls, and texts without a sentence.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import texts

CHECKOUT = Path(__file__).resolve().parent.parent

FORBIDDEN_IN_APP = ("PySide6", "shiboken6", "qasync", "pyqtgraph", "numpy")

# The machine on the wall and the ground it stands on know no protocol.
OCPP_WORDS = (
    "ocpp",
    "csms",
    "idtag",
    "id_tag",
    "statusnotification",
    "transactionevent",
    "bootnotification",
    "remotestart",
    "starttransaction",
    "stoptransaction",
    "metervalues",
    "callerror",
)
IO_MODULES = (
    "asyncio",
    "http",
    "select",
    "selectors",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "threading",
    "urllib",
    "websockets",
)
# The one place that lets real time pass, and the two that read our own data files.
KERNEL_MAY = (
    ("link_clock.py", "asyncio.sleep"),
    ("resources.py", "read_text"),
    ("catalogue.py", "read_text"),
)
# A nested event loop leaves the tasks of the outer one dead for good.
NESTED_LOOPS = ("exec", "exec_")
NESTED_LOOP_DIALOGS = {
    "QMessageBox": ("about", "aboutQt", "critical", "information", "question", "warning"),
    "QFileDialog": (
        "getExistingDirectory",
        "getExistingDirectoryUrl",
        "getOpenFileName",
        "getOpenFileNames",
        "getOpenFileUrl",
        "getOpenFileUrls",
        "getSaveFileName",
        "getSaveFileUrl",
    ),
    "QInputDialog": ("getDouble", "getInt", "getItem", "getMultiLineText", "getText"),
    "QColorDialog": ("getColor",),
    "QFontDialog": ("getFont",),
}


def sources(*folders: str) -> list[Path]:
    """All Python files below some folders of the checkout; none where a folder is not there."""
    return [path for folder in folders for path in sorted((CHECKOUT / folder).rglob("*.py"))]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(CHECKOUT).as_posix()}:{line}"


def imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Full names of imported modules with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def dotted(node: ast.expr) -> str:
    """`asyncio.sleep` for that expression, an empty string for one that is no plain name."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


# ---------------------------------------------------------------- what gets loaded

LOADER = """
import importlib, importlib.abc, json, sys

forbidden = set(sys.argv[1].split(","))
asked, failed = [], {}

class Guard(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            asked.append(name)
            raise ModuleNotFoundError("not part of a station without a window: " + name)

sys.meta_path.insert(0, Guard())

for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
print(json.dumps({"asked": asked, "failed": failed, "loaded": sorted(sys.modules)}))
"""


def module_name(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def load(forbidden: tuple[str, ...], modules: list[str]) -> dict[str, list[str] | dict[str, str]]:
    """What a fresh interpreter loads and asks for when it imports some modules of ours."""
    result = subprocess.run(
        [sys.executable, "-c", LOADER, ",".join(forbidden), *modules],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def test_every_module_of_app_loads_without_the_libraries_of_the_window() -> None:
    modules = [module_name(path) for path in sources("app") if path.name != "__main__.py"]
    report = load(FORBIDDEN_IN_APP, modules)
    assert report["asked"] == []
    assert report["failed"] == {}
    assert set(modules) <= set(report["loaded"])


def test_a_module_that_asks_for_a_forbidden_library_would_be_found() -> None:
    report = load(("xmlrpc",), ["app", "xmlrpc.server"])
    assert report["asked"] == ["xmlrpc"]
    assert "xmlrpc.server" in report["failed"]
    assert "app" in report["loaded"]


def test_every_folder_of_source_is_a_package() -> None:
    """Otherwise the import checks, which walk packages, pass over it."""
    bare = {
        path.parent.relative_to(CHECKOUT).as_posix()
        for path in sources("app", "ui")
        if not (path.parent / "__init__.py").exists()
    }
    assert bare == set()


# ---------------------------------------------------------------- the machine


def test_station_and_kernel_know_no_ocpp_word() -> None:
    pattern = re.compile("|".join(OCPP_WORDS), re.IGNORECASE)
    found = [
        f"{place(path, number)}: {line.strip()}"
        for path in sources("app/station", "app/kernel")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_machine_does_no_input_or_output_and_never_sleeps() -> None:
    found = []
    for path in sources("app/station"):
        tree = parsed(path)
        found += [
            f"{place(path, line)}: import {name}"
            for name, line in imported(tree)
            if name.partition(".")[0] in (*IO_MODULES, "time")
        ]
        found += [f"{place(path, line)}: {name}()" for name, line in input_output_calls(tree)]
    assert found == []


def test_the_kernel_touches_no_network_and_never_sleeps() -> None:
    found = []
    for path in sources("app/kernel"):
        tree = parsed(path)
        found += [
            f"{place(path, line)}: import {name}"
            for name, line in imported(tree)
            if name.partition(".")[0] in ("http", "socket", "sqlite3", "ssl", "subprocess")
        ]
        found += [
            f"{place(path, line)}: {name}()"
            for name, line in input_output_calls(tree)
            if (path.name, name) not in KERNEL_MAY
        ]
    assert found == []


def input_output_calls(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Calls that open files or let time pass; opening a contactor is not one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        last = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in ("open", "io.open", "asyncio.sleep", "time.sleep", "input"):
            yield name, node.lineno
        elif last in ("read_text", "read_bytes", "write_text", "write_bytes"):
            yield last, node.lineno


# ---------------------------------------------------------------- the window


def nested_loops(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Uses of Qt that start an event loop inside the running one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        owner = dotted(node.value).rpartition(".")[2]
        if node.attr in NESTED_LOOPS or node.attr in NESTED_LOOP_DIALOGS.get(owner, ()):
            yield f"{owner}.{node.attr}", node.lineno


def test_the_window_never_starts_a_nested_event_loop() -> None:
    found = [
        f"{place(path, line)}: {name}"
        for path in sources("ui")
        for name, line in nested_loops(parsed(path))
    ]
    assert found == [], "open() the dialog and await its answer instead"


@pytest.mark.parametrize(
    "code",
    ["dialog.exec()", "menu.exec_(point)", "QMessageBox.question(self, 'a', 'b')", "f = app.exec"],
)
def test_a_nested_event_loop_would_be_found(code: str) -> None:
    assert list(nested_loops(ast.parse(code)))


def test_opening_a_dialog_is_no_nested_event_loop() -> None:
    assert not list(nested_loops(ast.parse("dialog.open(); exec_later = 1; QMessageBox(self)")))


def test_qasync_is_imported_in_one_file_at_most() -> None:
    importers = {
        path.relative_to(CHECKOUT).as_posix()
        for path in sources("app", "ui")
        for name, _ in imported(parsed(path))
        if name.partition(".")[0] == "qasync"
    }
    assert len(importers) <= 1, importers


# ---------------------------------------------------------------- texts


def test_every_text_has_a_sentence_and_what_goes_into_its_gaps() -> None:
    catalogue = texts.read_catalogue(CHECKOUT, "en")
    problems = [
        f"{place(path, use.line)}: {problem}"
        for path in sources("app", "ui")
        for use in texts.uses(parsed(path))
        for problem in texts.problems(use, catalogue)
    ]
    assert problems == []


def test_the_sentences_of_an_area_lie_in_one_file() -> None:
    """The part before the first point names the area; a translator looks in one place."""
    files: dict[str, set[str]] = {}
    for path in texts.catalogue_files(CHECKOUT, "en"):
        for ident in texts.read_file(path):
            files.setdefault(ident.partition(".")[0], set()).add(path.name)
    assert {area: names for area, names in files.items() if len(names) > 1} == {}


def test_other_languages_know_the_same_texts_with_the_same_gaps() -> None:
    english = texts.read_catalogue(CHECKOUT, "en")
    problems = []
    for language in texts.languages(CHECKOUT):
        for ident, sentence in texts.read_catalogue(CHECKOUT, language).items():
            if ident not in english:
                problems.append(f"{language}: {ident} is not known in English")
            elif texts.gaps(sentence) != texts.gaps(english[ident]):
                problems.append(f"{language}: {ident} has other gaps than in English")
    assert problems == []


CATALOGUE = {
    "area.plain": "Nothing to fill in.",
    "area.gap": "Another program (process {pid}) uses {folder}.",
    "area.http_404": "Not found.",
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('Text("area.plain")', []),
        ('Text("area.gap", {"pid": 1, "folder": "x"})', []),
        ('Text("area.gap", params)', []),
        ('Text("area.gap", {**more, "pid": 1})', []),
        ('Text(f"area.http_{code}")', []),
        ('Text("area.absent")', ["area.absent has no sentence"]),
        ('Text("area.gap")', ["area.gap lacks folder, pid"]),
        ('text.Text(id="area.gap", params={"pid": 1})', ["area.gap lacks folder"]),
        ('Text("area.plain", {"pid": 1})', ["area.plain has no gap for pid"]),
        ('Text(f"area.ftp_{code}")', ["no sentence fits area.ftp_{…}"]),
    ],
)
def test_the_check_of_texts_sees_what_it_should(code: str, expected: list[str]) -> None:
    (use,) = texts.uses(ast.parse(code))
    assert texts.problems(use, CATALOGUE) == expected
