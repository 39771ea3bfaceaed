"""`forecourt --self-test` as an installer runs it, and that it does not always say yes."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from tests.e2e.conftest import Program
from ui import self_test


def test_a_good_installation_passes(program: Program) -> None:
    result = program("--self-test", timeout=60)
    first, second, verdict = result.stdout.splitlines()
    assert first.startswith("OCPP 1.6: booted, plugged in, showed a card, charged ")
    assert second.startswith("OCPP 2.0.1: booted, plugged in, showed a card, charged ")
    assert verdict == "Everything works."
    assert result.stderr == ""
    assert result.returncode == 0


def test_a_car_that_never_takes_power_fails_it(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(self_test, "SETTINGS", "[vehicle]\nready_delay = 900\n")
    monkeypatch.setattr(self_test, "PATIENCE_S", 6.0)  # a busy machine boots late, too
    monkeypatch.setattr(self_test, "VERSIONS", ("2.0.1",))
    assert self_test.run_self_test() == 9
    late = "OCPP 2.0.1: this did not happen within 6 s: energy flows after the card."
    assert capsys.readouterr().out.splitlines() == [late, "Something does not work."]


def test_a_fault_of_the_program_is_named(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(self_test, "SETTINGS", "[vehicle]\nready_dealy = 0\n")
    monkeypatch.setattr(self_test, "VERSIONS", ("1.6",))
    assert self_test.run_self_test() == 9
    assert "ConfigError" in capsys.readouterr().out
