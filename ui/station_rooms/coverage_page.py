"""Reads the page of coverage: what tests saw of each message, a table in Markdown with words around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MARKS = re.compile(r"[*`]")


@dataclass(frozen=True, slots=True)
class CoveredMessage:
    """A row of the page. `cells` by the title of their column, as they are written there."""

    number: str
    name: str
    chapter: str
    cells: dict[str, str]
    fields: tuple[tuple[str, str, str], ...] = ()
    """Of each field with a fixed set of values: its path, values that were seen, values that were not."""

    @property
    def seen(self) -> bool:
        """It passed the wire in some test."""
        return "never seen" not in self.cells.get("Statuses", "")


@dataclass(frozen=True, slots=True)
class CoveragePage:
    """The page: its sum in one sentence, what the columns mean, the rows."""

    summary: str
    notes: str
    titles: tuple[str, ...]
    messages: tuple[CoveredMessage, ...]


def read_page(path: Path) -> CoveragePage | None:
    """The page, or None where there is none or it holds no table."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    tables = _tables(lines)
    if not tables or len(tables[0]) < 3 or len(tables[0][0]) < 3:
        return None
    fields: dict[str, list[tuple[str, str, str]]] = {}
    for cells in tables[1][2:] if len(tables) > 1 else ():
        if len(cells) >= 4:
            fields.setdefault(cells[0], []).append((_plain(cells[1]), cells[2], cells[3]))
    titles = tuple(tables[0][0])
    chapter, messages = "", []
    for cells in tables[0][2:]:
        if not cells[0]:
            chapter = _plain(cells[1])
        elif len(cells) == len(titles):
            texts = {title: _plain(cell) for title, cell in zip(titles, cells, strict=True)}
            name = _plain(cells[1])
            of_it = tuple(fields.get(name, ()))
            messages.append(CoveredMessage(cells[0], name, chapter, texts, of_it))
    parts = _paragraphs(lines)
    summary = next((part for part in parts if part.startswith("**")), "")
    notes = "\n\n".join(part for part in parts if part != summary)
    return CoveragePage(_plain(summary), _plain(notes), titles, tuple(messages))


def _paragraphs(lines: list[str]) -> list[str]:
    """The words around the tables; those of a chapter begin with its title."""
    parts, title, words = [], "", list[str]()
    for line in (*lines, ""):
        if line and not line.startswith(("|", "#")):
            words.append(line)
        elif words:
            parts.append(title + " ".join(words))
            title, words = "", []
        if line.startswith("## "):
            title = f"{line.removeprefix('## ')}: "
    return parts


def _tables(lines: list[str]) -> list[list[list[str]]]:
    """Each run of lines that begin with a bar, as rows of cells."""
    tables: list[list[list[str]]] = []
    inside = False
    for line in lines:
        if line.startswith("|"):
            if not inside:
                tables.append([])
            tables[-1].append(_cells(line))
        inside = line.startswith("|")
    return tables


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip()[1:].removesuffix("|").split("|")]


def _plain(text: str) -> str:
    return _MARKS.sub("", text).strip()
