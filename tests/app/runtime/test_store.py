"""The state file: what a station remembers over a power cut."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.kernel.catalogue import Catalogue
from app.runtime.migrations import MIGRATIONS
from app.runtime.store import MEMORY, Store, StoreError, StoreFailed, StoreLocked, StoreTooNew

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "station" / "state.sqlite3"


@pytest.fixture
def store() -> Iterator[Store]:
    """One in memory."""
    with contextlib.closing(Store(MEMORY)) as made:
        yield made


def sentence(error: StoreError) -> str:
    text = Catalogue.load().render(error.text)
    assert error.text.id not in text
    return text


def test_documents_keep_the_order_they_came_in_and_their_place_when_written_again(
    store: Store,
) -> None:
    for key in ("b", "a", "c"):
        store.put("t", key, {"is": key})
    store.put("t", "a", {"is": "changed"})
    assert store.rows("t") == [("b", {"is": "b"}), ("a", {"is": "changed"}), ("c", {"is": "c"})]
    assert store.first("t") == ("b", {"is": "b"})
    store.delete("t", "b")
    store.delete("t", "nothing of this name")
    assert store.first("t") == ("a", {"is": "changed"})
    assert store.count("t") == 2
    assert store.get("t", "c") == {"is": "c"}
    assert store.get("t", "b") is None
    store.clear("t")
    assert store.first("t") is None
    assert store.count("t") == 0


def test_documents_come_back_exactly_with_all_kinds_of_values(store: Store) -> None:
    row = {"n": None, "yes": True, "i": 2**60, "f": 0.1, "s": "ü\n\"'☂", "l": [1, {"a": []}]}
    store.put("t", "k", row)
    assert store.get("t", "k") == row


def test_a_step_that_fails_leaves_nothing_behind(store: Store) -> None:
    store.put("t", "old", {"v": 1})
    with pytest.raises(KeyError):  # noqa: PT012, SIM117 - the step is what fails
        with store.step():
            store.put("t", "new", {"v": 2})
            store.put("t", "old", {"v": 3})
            raise KeyError
    assert store.rows("t") == [("old", {"v": 1})]


def test_an_inner_step_joins_the_outer_one(store: Store) -> None:
    with pytest.raises(KeyError), store.step():  # noqa: PT012 - the step is what fails
        with store.step():
            store.put("t", "inner", {})
        assert store.get("t", "inner") == {}
        raise KeyError
    assert store.rows("t") == []


def test_an_inner_step_that_fails_undoes_its_own_changes_only(store: Store) -> None:
    with store.step():
        store.put("t", "outer", {})
        with pytest.raises(KeyError), store.step():  # noqa: PT012 - the step is what fails
            store.put("t", "inner", {})
            raise KeyError
        store.put("t", "after", {})
    assert [key for key, _ in store.rows("t")] == ["outer", "after"]


async def test_another_task_cannot_slip_into_a_step(store: Store) -> None:
    import asyncio

    async def other() -> None:
        store.put("t", "stranger", {})

    with store.step():
        with pytest.raises(RuntimeError, match="must not await"):
            await asyncio.create_task(other())
        store.put("t", "own", {})
    assert [key for key, _ in store.rows("t")] == ["own"]


def test_reset_forgets_all_but_what_is_named(store: Store) -> None:
    for table in ("a", "b", "c"):
        store.put(table, "k", {})
    store.reset(keep=("b",))
    assert store.tables() == ["b"]


@pytest.mark.skipif(sys.platform == "win32", reason="rights are not modes there")
def test_the_file_is_for_its_owner_only(path: Path) -> None:
    Store(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_was_written_is_there_after_closing_and_opening(path: Path) -> None:
    store = Store(path, full_sync=True)
    store.put("t", "k", {"v": 1})
    store.close()
    store.close()
    again = Store(path)
    assert again.get("t", "k") == {"v": 1}
    again.close()


WRITER = textwrap.dedent(
    """
    import sys
    from app.runtime.store import Store
    store = Store(sys.argv[1])
    number = 0
    while True:
        with store.step():
            store.put("numbers", str(number), {"n": number})
            store.put("last", "one", {"n": number})
        print(number, flush=True)
        number += 1
    """
)


def test_a_killed_program_loses_nothing_it_had_committed_and_frees_the_lock(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(300)]
    process.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    said += [int(line) for line in process.stdout.read().splitlines() if line]
    process.wait()
    process.stdout.close()
    store = Store(path)
    numbers = [row["n"] for _, row in store.rows("numbers")]
    last = store.get("last", "one")
    store.close()
    assert store.kept_aside is None
    assert numbers == list(range(len(numbers)))  # no hole
    assert len(numbers) > max(said)  # nothing that was announced is gone
    assert last == {"n": numbers[-1]}  # no half step


def test_a_second_program_on_the_same_state_is_told_who_uses_it(path: Path) -> None:
    first = Store(path)
    with pytest.raises(StoreLocked) as caught:
        Store(path)
    said = sentence(caught.value)
    assert str(path.parent) in said
    assert str(os.getpid()) in said
    first.put("t", "k", {})  # the first one is not harmed
    first.close()
    Store(path).close()


def test_the_lock_holds_between_processes(path: Path) -> None:
    store = Store(path)
    code = "import sys; from app.runtime.store import Store; Store(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    store.close()
    assert done.returncode != 0
    assert "StoreLocked" in done.stderr


@pytest.mark.parametrize(
    "junk", [b"this is no database, " * 100, b"\x00" * 5000], ids=["text", "zeros"]
)
def test_a_file_that_is_no_database_is_kept_aside_and_a_fresh_one_begun(
    path: Path, junk: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(junk)
    store = Store(path)
    assert store.kept_aside is not None
    assert store.kept_aside.read_bytes() == junk
    assert store.tables() == []
    store.put("t", "k", {})
    store.close()


def test_a_damaged_database_is_kept_aside_with_its_log(path: Path) -> None:
    store = Store(path)
    for number in range(500):
        store.put("t", str(number), {"text": "x" * 200})
    store.close()
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 200] = b"\xff" * 200
    path.write_bytes(bytes(data))
    path.with_name(path.name + "-wal").write_bytes(b"left over")
    again = Store(path)
    assert again.kept_aside is not None
    assert again.kept_aside.read_bytes() == bytes(data)
    assert again.count("t") == 0
    again.close()


@pytest.mark.parametrize("text", ["", "not json", "[1]", "7", "null"])
def test_a_row_that_is_no_document_is_a_damage_too(path: Path, text: str) -> None:
    """It would end the program where it is read."""
    store = Store(path)
    store.put("t", "good", {"a": 1})
    store.put("t", "bad", {"a": 1})
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE doc SET json = ? WHERE key = 'bad'", (text,))
        connection.commit()
    again = Store(path)
    assert again.kept_aside is not None
    assert again.count("t") == 0
    again.close()


def test_an_empty_file_is_a_fresh_state(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    store = Store(path)
    assert store.kept_aside is None
    store.close()


def test_a_newer_file_is_refused_and_left_as_it_is(path: Path) -> None:
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew) as caught:
        Store(path)
    assert "newer" in sentence(caught.value)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    with pytest.raises(StoreFailed) as caught:
        Store(path)
    assert "another program" in sentence(caught.value)


def test_an_older_file_is_brought_forward_and_keeps_its_rows(path: Path) -> None:
    store = Store(path)
    store.put("t", "k", {"v": 1})
    store.close()

    def add_column(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE doc ADD COLUMN colour TEXT DEFAULT 'red'")

    newer = Store(path, migrations=(*MIGRATIONS, add_column))
    assert newer.migrated_from == 1
    assert newer.get("t", "k") == {"v": 1}
    newer.close()
    with pytest.raises(StoreTooNew):
        Store(path)


def test_a_migration_that_fails_leaves_the_old_file(path: Path) -> None:
    store = Store(path)
    store.put("t", "k", {"v": 1})
    store.close()

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM doc")
        connection.execute("THIS IS NO SQL")

    with pytest.raises(StoreFailed):
        Store(path, migrations=(*MIGRATIONS, half))
    again = Store(path)
    assert again.get("t", "k") == {"v": 1}
    again.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreFailed) as caught:
        Store(tmp_path / "file" / "state.sqlite3")
    assert "--state-dir" in sentence(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a read-only file system at hand")
def test_a_read_only_folder_is_told() -> None:
    with pytest.raises(StoreFailed) as caught:
        Store("/sys/kernel/state.sqlite3")
    assert "--state-dir" in sentence(caught.value)


FILLER = textwrap.dedent(
    """
    import resource, signal, sys
    from app.runtime.store import Store, StoreFailed
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    failures = []
    store = Store(sys.argv[1], on_failure=failures.append)
    store.put("t", "kept", {"v": 1})
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    number = 0
    try:
        while True:
            with store.step():
                store.put("t", f"a{number}", {"v": "x" * 1000})
                store.put("t", f"b{number}", {"v": "x" * 1000})
            number += 1
    except StoreFailed as error:
        print(error.text.id, len(failures), store.failed is failures[0])
    for _ in range(3):
        try:
            store.put("t", "more", {"v": "x" * 100_000})
        except StoreFailed:
            pass
    print(len(failures), number)
    """
)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes there")
def test_a_full_disk_fails_the_step_tells_once_and_loses_nothing_older(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "runtime.store.failed 1 True"
    told, steps = second.split()
    assert told == "1"
    store = Store(path)
    assert store.get("t", "kept") == {"v": 1}
    keys = {key for key, _ in store.rows("t")} - {"kept", "more"}
    assert {f"{letter}{n}" for letter in "ab" for n in range(int(steps))} == keys
    store.close()


def test_checkpoints_keep_the_log_short(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.runtime.store.CHECKPOINT_EVERY", 20)
    store = Store(path)
    wal = path.with_name(path.name + "-wal")
    for number in range(2000):
        store.put("t", str(number % 7), {"text": "x" * 2000})
    if store._checkpoint is not None:
        store._checkpoint.join()
    store.put("t", "last", {})
    assert wal.stat().st_size < 2_000_000  # about 2000 x 8 KiB without checkpoints
    store.close()


def test_the_log_stays_short_also_while_commits_follow_each_other_without_a_pause(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue of ten thousand messages that is delivered never leaves a gap for a checkpoint."""
    monkeypatch.setattr("app.runtime.store.LONG_LOG", 1000)
    store = Store(path)
    for number in range(3000):
        store.put("queue", f"{number + 4:05}", {"text": "x" * 2000})
        store.delete("queue", f"{number:05}")
    size = path.with_name(path.name + "-wal").stat().st_size
    store.close()
    assert size < 30_000_000, size  # 99 MB when it never begins anew


def test_heads_tell_of_all_or_of_some_without_reading_the_whole(store: Store) -> None:
    for key in ("b", "a", "c"):
        store.put("queue", key, {"n": key * 2, "inside": {"n": 1}, "text": "x" * 5000})
    assert store.heads("queue", "n", "none") == [
        ("b", "bb", None),
        ("a", "aa", None),
        ("c", "cc", None),
    ]
    assert sorted(store.heads_of("queue", ["c", "b", "gone"], "n")) == [("b", "bb"), ("c", "cc")]
    assert store.heads_of("queue", [], "n") == []
    store.close()
