"""What end-to-end tests share: a back office, and programs that never outlive their test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.client.pytest_plugin import forecourt  # noqa: F401 - a fixture
from tests.e2e.office import Office

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def office() -> Iterator[Office]:
    """A training CSMS."""
    office = Office()
    yield office
    office.close()


@pytest.fixture(scope="session")
def environment(checkout: Path) -> dict[str, str]:
    """Of the programs that tests start: they find this checkout from any folder."""
    return {**os.environ, "PYTHONPATH": str(checkout)}


@pytest.fixture
def program(environment: dict[str, str], tmp_path: Path) -> Program:
    """Run `forecourt` with arguments to its end; stdin is empty, so a station that starts ends at once."""

    def run(
        *arguments: str, timeout: float = 30.0, more: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ui", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            env={**environment, **(more or {})},
            cwd=tmp_path,
            timeout=timeout,
            check=False,
        )

    return run
