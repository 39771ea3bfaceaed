"""The command line: what it takes, what it prints, and that no window is needed for it."""

from __future__ import annotations

import json
import socket
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from jsonschema import Draft202012Validator

from app import __version__
from app.ocpp.points import registry
from app.runtime.cli import main
from app.runtime.exit_codes import Exit
from app.runtime.options import WindowOptions
from app.runtime.settings import password_in, resolve
from app.training.settings import CsmsSettings

FORECOURT = ["forecourt"]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "station.toml"
    file.write_text(
        'blueprint = "home-ac-11"\n[csms]\nurl = "ws://localhost:9000"\nid = "CP-7"\n', "utf-8"
    )
    return file


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--app-version"]) == Exit.OK
    assert capsys.readouterr().out == f"forecourt {__version__}\n"


def test_help_names_every_way_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == Exit.OK
    words = capsys.readouterr().out
    for word in ("headless", "training-csms", "config", "--self-test", "--csms", "--state-dir"):
        assert word in words
    assert main(["headless", "-h"]) == Exit.OK
    assert "--connect-timeout" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["no-such-command"],
        ["headless", "--version", "3.0"],
        ["headless", "--security-profile", "4"],
        ["headless", "--connect-timeout", "0"],
        ["headless", "--connect-timeout", "soon"],
        ["headless", "--clock", "yesterday"],
        ["training-csms", "--port", "70000"],
        ["training-csms", "--security-profile", "1"],
        ["training-csms", "--security-profile", "3"],
        ["training-csms", "--flaw", "none such"],
        ["config", "check"],
        ["--theme", "pink"],
    ],
)
def test_a_wrong_argument_is_told_on_stderr(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == Exit.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert "Error: " in said.err
    assert arguments[-1].strip("-") in said.err.lower() or "FILE" in said.err


def test_without_a_window_it_points_to_the_headless_station(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == Exit.WINDOW
    assert "forecourt headless" in capsys.readouterr().err


def test_flags_reach_the_window(tmp_path: Path) -> None:
    seen: list[WindowOptions] = []

    def open_window(options: WindowOptions) -> int:
        seen.append(options)
        return 0

    arguments = ["--csms", "ws://h", "--id", "A", "--version", "auto", "--theme", "light"]
    more = ["--state-dir", str(tmp_path), "--strict", "--clock", "2026-01-15T08:00:00Z"]
    assert main([*arguments, *more, "--language", "en"], open_window=open_window) == 0
    (options,) = seen
    assert (options.theme, options.language) == ("light", "en")
    assert options.station.state_dir == tmp_path
    assert options.station.clock == datetime(2026, 1, 15, 8, tzinfo=UTC)
    flags = {path: value for path, value in options.station.flags().items() if value is not None}
    assert flags == {
        "csms.url": "ws://h",
        "csms.id": "A",
        "csms.version": "auto",
        "clock.start": options.station.clock,
        "mode": "strict",
    }


def test_the_exit_code_of_the_window_and_of_the_self_test_is_handed_on() -> None:
    assert main([], open_window=lambda options: 10) == 10
    assert main(["--self-test"], self_test=lambda: 9) == Exit.SELF_TEST


def test_ctrl_c_is_an_end_like_another() -> None:
    def interrupted(options: WindowOptions) -> int:
        raise KeyboardInterrupt

    assert main([], open_window=interrupted) == Exit.INTERRUPTED


def test_config_show_tells_where_each_value_came_from(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "show", "--config", str(settings), "--id", "CP-8"]) == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert 'csms.id = "CP-8"  # flag' in lines
    assert 'csms.url = "ws://localhost:9000"  # config' in lines
    assert any(line.endswith("# blueprint") for line in lines)
    assert not any(line.endswith("# default") for line in lines)
    assert main(["config", "show", "--all", "--config", str(settings)]) == Exit.OK
    everything = capsys.readouterr().out.splitlines()
    assert 'csms.version = "auto"  # default' in everything
    assert len(everything) > len(lines)


def test_config_show_keeps_the_password_to_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "secret.toml"
    file.write_text('[security]\nprofile = 1\npassword = "open sesame"\n', "utf-8")
    assert main(["config", "show", "--all", "--config", str(file)]) == Exit.OK
    assert "sesame" not in capsys.readouterr().out


def test_config_check_says_good_or_what_is_wrong(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "check", str(settings)]) == Exit.OK
    assert str(settings) in capsys.readouterr().out
    settings.write_text('mode = "sloppy"\n[csms]\nurl = 5\n', "utf-8")
    assert main(["config", "check", str(settings)]) == Exit.CONFIG
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(": ")[1].split(" ")[0] for line in said.err.splitlines()] == [
        "csms.url",
        "mode",
    ]


def test_config_points_lists_what_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "points"]) == 0
    text = capsys.readouterr().out
    for point in registry().values():
        assert f"{point.id}: {point.question}" in text
    assert "    set-at-once (default): " in text
    assert "    ignore (breaks the specification): " in text
    assert "does not have smart charging of OCPP 2.0.1 yet" in text
    assert "docs-min-of-all" not in text, "nothing would come of it"


def test_config_points_writes_a_configuration_that_leaves_nothing_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Strict mode would else end at one point after the other."""
    assert main(["config", "points", "--toml"]) == 0
    file = tmp_path / "strict.toml"
    file.write_text(capsys.readouterr().out, "utf-8")
    config = resolve(file).config
    assert config.mode == "strict"
    here = {point.id: point.default for point in registry().values() if point.awaits is None}
    assert config.open_points == here


def test_config_schema_judges_files_as_the_program_does(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "schema"]) == Exit.OK
    validator = Draft202012Validator(json.loads(capsys.readouterr().out))
    validator.check_schema(validator.schema)
    assert validator.is_valid(tomllib.loads(settings.read_text("utf-8")))
    assert not validator.is_valid({"csms": {"version": "3.0"}})
    assert not validator.is_valid({"cmss": {}})


def test_a_taken_port_of_the_training_csms_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["training-csms", "--port", port]) == Exit.CONTROL
    assert port in capsys.readouterr().err


def test_a_training_csms_that_cannot_be_protected_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, good, no_text = (tmp_path / name for name in ("empty", "password", "no-text"))
    empty.write_text("\n")
    no_text.write_bytes(b"\xff\xfe\xff")
    good.write_text("0123456789abcdef\n")
    profile = ["training-csms", "--port", "0", "--security-profile"]
    assert main([*profile, "1", "--password-file", str(empty)]) == Exit.CONFIG
    assert f"The first line of the password file {empty} is empty" in capsys.readouterr().err
    assert main([*profile, "1", "--password-file", str(no_text)]) == Exit.CONFIG
    assert f"The file {no_text} is not UTF-8 text" in capsys.readouterr().err
    for name in ("root.pem", "root.key"):
        (tmp_path / name).write_text("no PEM")
    files = ["--password-file", str(good), "--certificates", str(tmp_path)]
    assert main([*profile, "2", *files]) == Exit.CONFIG
    assert f"The certificates in {tmp_path} cannot be used" in capsys.readouterr().err


def test_the_training_csms_reads_out_of_a_password_file_what_a_station_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Editors of Windows put a mark at the beginning, people a remark into the second line."""
    file = tmp_path / "secret.txt"
    file.write_bytes(b"\xef\xbb\xbfof sixteen letters \r\nnot this\n")
    served: list[CsmsSettings] = []

    async def serve(*_: object, settings: CsmsSettings, **__: object) -> None:
        served.append(settings)

    monkeypatch.setattr("app.training.main.serve", serve)
    files = ["--password-file", str(file)]
    assert main(["training-csms", "--security-profile", "1", *files]) == Exit.OK
    assert [one.password for one in served] == ["of sixteen letters "]
    assert password_in(file) == b"of sixteen letters "


@pytest.mark.parametrize(("flags", "anybody"), [([], False), (["--any-certificate"], True)])
def test_A00_FR_405_whose_certificate_is_made_and_whether_any_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], anybody: bool
) -> None:
    served: list[CsmsSettings] = []

    async def serve(*_: object, settings: CsmsSettings, **__: object) -> None:
        served.append(settings)

    monkeypatch.setattr("app.training.main.serve", serve)
    profile = ["training-csms", "--security-profile", "3", "--certificates", str(tmp_path)]
    assert main([*profile, "--station", "CP-9", *flags]) == Exit.OK
    [settings] = served
    assert settings.asks_certificates
    assert settings.any_certificate == anybody
    shown = x509.load_pem_x509_certificate((tmp_path / "station.pem").read_bytes())
    assert "CN=CP-9" in shown.subject.rfc4514_string()


def test_no_command_line_imports_qt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name set to None cannot be imported: the whole tree of commands stands without Qt."""
    for name in ("PySide6", "qasync", "pyqtgraph", "numpy"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["config", "schema"]) == Exit.OK
    assert main(["headless", "--help"]) == Exit.OK
