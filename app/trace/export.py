"""Hands the trace over: JSONL, one journal record or one exchange a line, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from app.kernel.catalogue import Catalogue
from app.trace.codec import to_json
from app.trace.exchange import Exchange
from app.trace.journal import Journal

PAGE = 5_000


def export_journal(journal: Journal, path: Path) -> int:
    """Write all records that can still be read. Returns how many. Raises OSError."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        first, last = journal.first_seq, journal.last_seq
        for start in range(first, last + 1, PAGE):
            for record in journal.range(start, min(start + PAGE - 1, last)):
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                count += 1
    return count


def export_exchanges(rows: Iterable[Exchange], path: Path, catalogue: Catalogue) -> int:
    """Write exchanges, each with its sentence. Returns how many. Raises OSError."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            line = to_json(row) | {"summary": catalogue.render(row.summary)}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count
