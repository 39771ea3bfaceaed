"""dev.py: what it decides and what it says, without touching network or system."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dev


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with an environment that exists, and locks, but nothing installed."""
    venv = tmp_path / ".venv"
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "VENV", venv)
    monkeypatch.setattr(dev, "RUNTIME_LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(dev, "DEV_LOCK", tmp_path / "requirements-dev.lock")
    dev.RUNTIME_LOCK.write_text("a==1\n")
    dev.DEV_LOCK.write_text("a==1\nb==1\n")
    dev.venv_python().parent.mkdir(parents=True)
    dev.venv_python().write_text("")
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    return tmp_path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The locks that would have been installed, in order."""
    locks: list[Path] = []
    monkeypatch.setattr(dev, "pip_install", locks.append)
    monkeypatch.setattr(dev, "ensure_disk", lambda: None)
    return locks


def no_apt(monkeypatch: pytest.MonkeyPatch, tools: tuple[str, ...] = ()) -> None:
    """A computer where only some tools are on the PATH, and nobody is root."""
    monkeypatch.setattr(dev, "LINUX", True)
    monkeypatch.setattr(dev, "may_install", lambda: False)
    monkeypatch.setattr(
        dev.shutil, "which", lambda name: f"/usr/bin/{name}" if name in tools else None
    )


# ---------------------------------------------------------------- the interpreter


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13), (3, 13, 1)])
def test_fitting_pythons_are_taken(version: tuple[int, ...]) -> None:
    assert dev.fits(version)


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10), (3, 14), (4, 11)])
def test_other_pythons_are_not(version: tuple[int, ...]) -> None:
    assert not dev.fits(version)


def test_the_accepted_pythons_are_those_of_the_project(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">=3.{dev.MINORS[0]},<3.{dev.MINORS[-1] + 1}"
    assert set(dev.PREFERRED_MINORS) == set(dev.MINORS)


def test_the_message_about_a_wrong_python_names_both_versions() -> None:
    message = dev.wrong_python_message((3, 9))
    assert "3.11, 3.12 or 3.13" in message
    assert "this is Python 3.9" in message


@pytest.mark.parametrize("version", [(3, 6), (3, 10), (3, 14), (4, 0)])
def test_a_wrong_python_without_an_alternative_ends_with_a_sentence(
    version: tuple[int, int], checkout: Path, tmp_path: Path
) -> None:
    """The whole program, in a Python that takes itself for another, where no other can be found."""
    file = str(checkout / "dev.py")
    lines = (
        "import runpy, sys",
        f"sys.version_info = {(*version, 0, 'final', 0)}",
        f"sys.argv = [{file!r}, 'run']",
        f"runpy.run_path({file!r}, run_name='__main__')",
    )
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == dev.EXIT_PYTHON
    assert ended.stderr == f"dev.py: {dev.wrong_python_message(version)}\n"
    assert ended.stdout == ""


def test_who_lacks_a_fitting_python_is_told_to_install_one_by_its_version() -> None:
    """The `python3` of a system may be the one that does not fit."""
    assert not re.search(r"python3(?!\.\d)", dev.wrong_python_message((3, 14)))


def test_a_wrong_python_hands_over_to_a_fitting_one(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(dev, "fits", lambda version: False)
    monkeypatch.setattr(dev, "find_interpreter", lambda: "/opt/python3.12")
    monkeypatch.setattr(dev.subprocess, "call", lambda command: calls.append(command) or 7)
    assert dev.main(["test", "-x"]) == 7
    assert calls == [["/opt/python3.12", str(dev.ROOT / "dev.py"), "test", "-x"]]


def test_a_shim_that_does_not_start_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [str(tmp_path / "absent")]
    monkeypatch.setattr(dev, "interpreter_candidates", lambda: [broken, [sys.executable]])
    assert dev.find_interpreter() == sys.executable


def test_an_interpreter_of_another_version_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "interpreter_candidates", lambda: [["some-python"]])
    monkeypatch.setattr(dev, "ask_version", lambda command: ("/opt/python", (3, 9)))
    assert dev.find_interpreter() is None


def test_the_file_can_be_read_by_old_pythons(checkout: Path) -> None:
    """Otherwise they answer with a syntax error instead of the sentence."""
    source = (checkout / "dev.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    bracketed = [
        annotation.lineno
        for node in ast.walk(tree)
        for annotation in annotations(node)
        if isinstance(annotation, ast.Subscript | ast.BinOp)
    ]
    assert bracketed == [], "quote these annotations: old Pythons evaluate them"


def annotations(node: object) -> list[object]:
    """What stands behind colons and arrows."""
    found = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    return [annotation for annotation in found if annotation is not None]


# ---------------------------------------------------------------- system packages


def test_a_library_known_to_the_loader_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {name for name, _ in dev.LIBRARIES}
    monkeypatch.setattr(dev, "loader_cache", lambda: names)
    monkeypatch.setattr(dev, "has_font", lambda: True)
    assert dev.missing_window_packages() == []


def test_missing_libraries_and_fonts_are_named_by_their_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {name for name, _ in dev.LIBRARIES} - {"libEGL.so.1", "libxcb-cursor.so.0"}
    monkeypatch.setattr(dev, "loader_cache", lambda: names)
    monkeypatch.setattr(dev, "loadable", lambda name: False)
    monkeypatch.setattr(dev, "has_font", lambda: False)
    assert dev.missing_window_packages() == ["libegl1", "libxcb-cursor0", "fonts-dejavu-core"]


def test_a_library_outside_the_loaders_cache_counts_if_it_loads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dev, "loader_cache", set)
    monkeypatch.setattr(dev, "loadable", lambda name: name != "libGL.so.1")
    monkeypatch.setattr(dev, "has_font", lambda: True)
    assert dev.missing_window_packages() == ["libgl1"]


def test_a_library_that_is_nowhere_does_not_load() -> None:
    assert not dev.loadable("libforecourt-is-no-such-library.so.9")


def test_a_font_is_found_in_any_depth_and_absence_is_noticed(tmp_path: Path) -> None:
    assert not dev.has_font((str(tmp_path), str(tmp_path / "absent")))
    (tmp_path / "truetype").mkdir()
    (tmp_path / "truetype" / "README").write_text("")
    assert not dev.has_font((str(tmp_path),))
    (tmp_path / "truetype" / "Plain.TTF").write_text("")
    assert dev.has_font((str(tmp_path),))


def test_without_root_the_exact_command_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_apt(monkeypatch, tools=("apt-get",))
    monkeypatch.setattr(dev, "missing_window_packages", lambda: ["libegl1", "libgl1"])
    assert dev.main(["run"]) == dev.EXIT_SYSTEM
    said = capsys.readouterr().err
    command = "sudo apt-get install -y --no-install-recommends libegl1 libgl1"
    assert command in said
    assert "Traceback" not in said


def test_without_apt_the_missing_libraries_are_named_and_qt_gets_its_try(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_apt(monkeypatch)
    monkeypatch.setattr(dev, "missing_window_packages", lambda: ["libegl1"])
    dev.ensure_window_packages()
    said = capsys.readouterr().err
    assert "libegl1" in said
    assert "apt-get" not in said


def test_as_root_missing_packages_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ["libegl1"]
    asked = []

    def install(packages: list[str]) -> bool:
        asked.append(list(packages))
        missing.clear()
        return True

    monkeypatch.setattr(dev, "LINUX", True)
    monkeypatch.setattr(dev, "may_install", lambda: True)
    monkeypatch.setattr(dev, "missing_window_packages", lambda: list(missing))
    monkeypatch.setattr(dev, "apt_install", install)
    dev.ensure_window_packages()
    assert asked == [["libegl1"]]


def test_an_installation_that_brought_nothing_is_not_taken_for_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dev, "LINUX", True)
    monkeypatch.setattr(dev, "may_install", lambda: True)
    monkeypatch.setattr(dev, "missing_window_packages", lambda: ["libegl1"])
    monkeypatch.setattr(dev, "apt_install", lambda packages: False)
    monkeypatch.setattr(dev.shutil, "which", lambda name: "/usr/bin/" + name)
    with pytest.raises(dev.Problem, match="libegl1") as problem:
        dev.ensure_window_packages()
    assert problem.value.code == dev.EXIT_SYSTEM


def test_apt_is_asked_without_questions_and_after_an_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def call(command: list[str], **options: object) -> int:
        calls.append((command, options))
        return 0

    monkeypatch.setattr(dev.subprocess, "call", call)
    assert dev.apt_install(["xvfb", "xdotool"])
    (update, _), (install, options) = calls
    assert update[-1] == "update"
    assert install[-5:] == ["install", "-y", "--no-install-recommends", "xvfb", "xdotool"]
    assert options["env"]["DEBIAN_FRONTEND"] == "noninteractive"


def test_missing_test_tools_are_told_but_stop_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_apt(monkeypatch, tools=("apt-get",))
    dev.ensure_test_packages()
    assert "--no-install-recommends xvfb xdotool" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("default", "minor", "package"),
    [
        ("/usr/bin/python3.11", 11, "python3-venv"),
        ("/usr/bin/python3.11", 12, "python3.12-venv"),
        ("/usr/bin/python3", 12, "python3.12-venv"),
    ],
)
def test_the_venv_package_is_that_of_the_python_in_use(
    default: str, minor: int, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev.os.path, "realpath", lambda path: default)
    assert dev.venv_package(minor) == package


def test_a_python_without_ensurepip_is_explained(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (dev.VENV / "pyvenv.cfg").unlink()
    no_apt(monkeypatch, tools=("apt-get",))
    monkeypatch.setattr(dev, "can_make_venv", lambda: False)
    monkeypatch.setattr(dev, "venv_package", lambda minor: "python3-venv")
    assert dev.main(["run", "headless"]) == dev.EXIT_SYSTEM
    assert "sudo apt-get install -y --no-install-recommends python3-venv" in (
        capsys.readouterr().err
    )


# ---------------------------------------------------------------- environment and stamp


def test_the_version_of_an_environment_is_read_without_starting_it(desk: Path) -> None:
    assert dev.venv_version() == (3, 11)


@pytest.mark.skipif(dev.WINDOWS, reason="there an environment has a Python of its own")
@pytest.mark.parametrize(("now", "version"), [("python3.13", None), ("python3.11", (3, 11))])
def test_an_environment_whose_python_has_become_another_is_not_usable(
    now: str, version: tuple[int, int] | None, desk: Path, tmp_path: Path
) -> None:
    """An environment points at /usr/bin/python3; a new release of Debian puts the next Python there."""
    (tmp_path / now).write_text("")
    (tmp_path / "python3").symlink_to(now)
    dev.venv_python().unlink()
    dev.venv_python().symlink_to(tmp_path / "python3")
    assert dev.venv_version() == version


@pytest.mark.parametrize("wrong", ["gone", "3.10.13", "3.14.0"])
def test_an_environment_whose_python_is_gone_or_does_not_fit_is_made_again(
    wrong: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if wrong == "gone":
        dev.venv_python().unlink()
        assert dev.venv_version() is None
    else:
        (dev.VENV / "pyvenv.cfg").write_text(f"version = {wrong}\n")
    calls = []
    monkeypatch.setattr(dev, "ensure_venv_module", lambda: None)
    monkeypatch.setattr(dev, "ensure_disk", lambda: None)
    monkeypatch.setattr(dev.subprocess, "call", lambda command, **_: calls.append(command) or 0)
    dev.ensure_venv()
    assert calls == [[dev.base_python(), "-m", "venv", str(dev.VENV)]]
    assert not dev.VENV.exists(), "the old one has to be gone before"


def test_an_environment_that_fits_is_left_alone(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "ensure_venv_module", lambda: pytest.fail("not needed"))
    dev.ensure_venv()
    assert dev.venv_python().exists()


def test_the_libraries_are_installed_once(desk: Path, installed: list[Path]) -> None:
    dev.ensure_libraries(dev=False)
    dev.ensure_libraries(dev=False)
    assert installed == [dev.RUNTIME_LOCK]


def test_running_needs_no_development_libraries(desk: Path, installed: list[Path]) -> None:
    dev.ensure_libraries(dev=True)
    dev.ensure_libraries(dev=False)
    dev.ensure_libraries(dev=True)
    assert installed == [dev.DEV_LOCK]


def test_a_changed_lock_is_installed_again(desk: Path, installed: list[Path]) -> None:
    dev.ensure_libraries(dev=False)
    dev.RUNTIME_LOCK.write_text("a==2\n")
    dev.ensure_libraries(dev=False)
    assert installed == [dev.RUNTIME_LOCK] * 2


def test_a_new_python_in_the_environment_is_filled_again(desk: Path, installed: list[Path]) -> None:
    dev.ensure_libraries(dev=False)
    (dev.VENV / "pyvenv.cfg").write_text("version = 3.12.1\n")
    dev.ensure_libraries(dev=False)
    assert len(installed) == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", "null"])
def test_a_damaged_stamp_means_nothing_is_installed(
    desk: Path, installed: list[Path], damage: str
) -> None:
    dev.ensure_libraries(dev=False)
    dev.stamp_path().write_text(damage)
    dev.ensure_libraries(dev=False)
    assert len(installed) == 2
    assert set(json.loads(dev.stamp_path().read_text())) == {"runtime"}


def test_a_failed_installation_leaves_no_stamp(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(lock: Path) -> None:
        raise dev.Problem("no network", dev.EXIT_INSTALL)

    monkeypatch.setattr(dev, "ensure_disk", lambda: None)
    monkeypatch.setattr(dev, "pip_install", fail)
    with pytest.raises(dev.Problem):
        dev.ensure_libraries(dev=False)
    assert dev.read_stamp() == {}


def test_who_goes_back_after_half_an_installation_gets_the_old_libraries_again(
    desk: Path, installed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(lock: Path) -> None:
        raise KeyboardInterrupt

    dev.ensure_libraries(dev=False)
    before = dev.RUNTIME_LOCK.read_text()
    dev.RUNTIME_LOCK.write_text("a==2\n")
    with monkeypatch.context() as patch:
        patch.setattr(dev, "pip_install", break_off)
        with pytest.raises(KeyboardInterrupt):
            dev.ensure_libraries(dev=False)
    dev.RUNTIME_LOCK.write_text(before)
    dev.ensure_libraries(dev=False)
    assert len(installed) == 2


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "was locked"),
        ("Failed to establish a new connection: Name resolution", "network connection"),
        ("ERROR: No matching distribution found for pyside6-essentials==6.11.3", "glibc 2.34"),
        ("something else", "stand above"),
    ],
)
def test_a_failed_installation_is_explained(output: str, word: str) -> None:
    assert word in dev.install_failure(output)


def test_a_full_disk_is_noticed_before_the_installation(desk: Path) -> None:
    with pytest.raises(dev.Problem, match="Make room") as problem:
        dev.ensure_disk(needed_mb=10**9)
    assert problem.value.code == dev.EXIT_INSTALL


def test_pip_that_fails_becomes_one_sentence(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A real pip, told to look nowhere."""
    monkeypatch.setattr(dev, "venv_python", lambda: Path(sys.executable))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    dev.RUNTIME_LOCK.write_text("forecourt-is-not-published==1 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(dev.Problem, match="not offered for this computer"):
        dev.pip_install(dev.RUNTIME_LOCK)
    assert capfd.readouterr().out == "", "stdout belongs to the program"


def wheel(folder: Path, name: str, version: str, *needs: str) -> str:
    """A library without any code; returns its line in a lock."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    facts = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: toml\n"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", f"version = {version!r}\n")
        file.writestr(f"{info}/METADATA", facts + "".join(f"Requires-Dist: {n}\n" for n in needs))
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_a_release_newer_than_the_locked_one_does_not_disturb(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real pip and an index where a library that is wanted with an extra has moved on."""
    lock = desk / "requirements.lock"
    lock.write_text(wheel(desk, "low", "1.0") + wheel(desk, "top", "1.0", "low[toml]>=1"))
    wheel(desk, "low", "2.0")
    monkeypatch.setattr(dev, "venv_python", lambda: Path(sys.executable))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(desk))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_TARGET", str(desk / "installed"))
    dev.pip_install(lock)
    assert (desk / "installed" / "low.py").read_text() == "version = '1.0'\n"


# ---------------------------------------------------------------- the program


@pytest.mark.skipif(dev.WINDOWS, reason="a shell script")
def test_the_launcher_starts_this_checkout_from_any_folder(
    desk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With a real shell, an odd path, arguments with spaces, and a false `ui` in the way."""
    (desk / "ui").mkdir()
    (desk / "ui" / "__init__.py").write_text("")
    (desk / "ui" / "__main__.py").write_text("import sys; print(sys.argv[1:])")
    elsewhere = tmp_path_factory.mktemp("else where")
    (elsewhere / "ui").mkdir()
    (elsewhere / "ui" / "__main__.py").write_text("print('the wrong one')")
    dev.venv_python().unlink()
    dev.venv_python().symlink_to(sys.executable)
    dev.ensure_launcher()
    assert dev.launcher_path().stat().st_mode & stat.S_IXUSR
    result = subprocess.run(
        [dev.launcher_path(), "headless", "a b"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "['headless', 'a b']"


def test_the_launcher_is_written_again_after_a_move(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.ensure_launcher()
    before = dev.launcher_path().read_bytes()
    monkeypatch.setattr(dev, "ROOT", desk / "moved")
    dev.ensure_launcher()
    assert dev.launcher_path().read_bytes() != before


def test_the_launcher_for_windows_hands_all_arguments_on() -> None:
    text = dev.launcher_text(windows=True)
    assert text.startswith("@echo off\r\n")
    assert text.endswith("-P -m ui %*\r\n")
    assert f'set "PYTHONPATH={dev.ROOT};%PYTHONPATH%"' in text


@pytest.mark.parametrize(
    ("arguments", "window"),
    [
        ([], True),
        (["--csms", "ws://x"], True),
        (["--self-test"], True),
        (["headless", "--id", "1"], False),
        (["training-csms"], False),
    ],
)
def test_only_the_window_needs_the_libraries_of_qt(arguments: list[str], window: bool) -> None:
    assert dev.opens_a_window(arguments) is window


# ---------------------------------------------------------------- checks and tests


def test_all_checks_run_and_one_failure_decides(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = sys.executable
    checks = [
        dev.Check("first", [python, "-c", "raise SystemExit('the reason')"]),
        dev.Check("second", [python, "-c", "print('chatter')"]),
    ]
    runs = [dev.Check("benchmarks", []), dev.Check("pytest", [])]
    monkeypatch.setattr(dev, "set_up", lambda **_: None)
    monkeypatch.setattr(dev, "static_checks", lambda: checks)
    monkeypatch.setattr(dev, "pytest_runs", lambda options: runs)
    monkeypatch.setattr(
        dev, "run_pytest", lambda run: (dev.Result(run.name, 2.0, True), dev.Counts(3, 0, 1))
    )
    assert dev.test([]) == dev.EXIT_CHECKS_FAILED
    lines = capsys.readouterr().out.splitlines()
    assert "the reason" in lines
    assert "chatter" not in lines
    table = lines[lines.index(next(line for line in lines if "verdict" in line)) :]
    assert [re.split(r"\s{2,}", line)[-1] for line in table[1:5]] == ["FAILED", "ok", "ok", "ok"]
    assert lines[-1] == "tests: 6 passed, 0 failed, 2 skipped"


def test_everything_green_is_exit_code_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "set_up", lambda **_: None)
    monkeypatch.setattr(dev, "static_checks", list)
    monkeypatch.setattr(dev, "run_pytest", lambda run: (dev.Result("p", 1.0, True), None))
    assert dev.test([]) == 0


def test_the_closing_line_counts_what_pytest_reported(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite errors="1" failures="2" skipped="3" tests="10"/></testsuites>'
    )
    assert str(dev.read_counts(report)) == "tests: 4 passed, 3 failed, 3 skipped"


def test_a_run_that_wrote_no_report_counts_nothing(tmp_path: Path) -> None:
    assert dev.read_counts(tmp_path / "absent.xml") is None
    (tmp_path / "cut.xml").write_text("<testsuites>")
    assert dev.read_counts(tmp_path / "cut.xml") is None


def words_of_the_last_run(*arguments: str) -> list[str]:
    return dev.pytest_runs(dev.read_test_options(list(arguments)))[-1].command


def test_a_plain_test_run_measures_coverage() -> None:
    assert words_of_the_last_run() == [
        "--ignore=tests/benchmarks",
        *("-m", "not loop_time"),
        "--cov",
        "--cov-report=term",
    ]


def test_time_on_the_loop_is_judged_in_one_process_and_without_the_burden_of_coverage() -> None:
    """Together both runs hold every test."""
    for arguments in ([], ["--jobs", "4"], ["--full"]):
        *_, time, rest = dev.pytest_runs(dev.read_test_options(arguments))
        assert time.name == "loop time"
        assert time.command[-2:] == ["-m", "loop_time"]
        assert set(time.command[:-2]) <= {"--run-full", "--ignore=tests/benchmarks"}
        assert rest.command[rest.command.index("-m") + 1] == "not loop_time"


@pytest.mark.parametrize(("again_passes", "failed"), [(True, 0), (False, 1)])
def test_time_that_was_too_long_is_measured_once_more(
    again_passes: bool, failed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another program did to a measurement does not repeat itself; what is slow does."""
    answers = [(False, dev.Counts(10, 1, 2)), (again_passes, dev.Counts(1 - failed, failed))]
    commands = []

    def run_pytest(run: dev.Check) -> tuple[dev.Result, dev.Counts]:
        commands.append(run.command)
        passed, counts = answers[len(commands) - 1]
        return dev.Result(run.name, 2.0, passed), counts

    monkeypatch.setattr(dev, "run_pytest", run_pytest)
    *_, time, rest = dev.pytest_runs(dev.TestOptions())
    result, counts = dev.run_tests(time)
    assert result == dev.Result("loop time", 4.0, again_passes)
    assert counts == dev.Counts(11 - failed, failed, 2)
    assert commands == [time.command, [*time.command, "--last-failed"]]
    assert not rest.look_again


def test_what_cannot_be_measured_at_all_is_not_measured_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dev, "run_pytest", lambda run: (dev.Result(run.name, 2.0, False), None))
    *_, time, _ = dev.pytest_runs(dev.TestOptions())
    assert dev.run_tests(time) == (dev.Result("loop time", 2.0, False), None)


def test_benchmarks_run_first_and_without_the_burden_of_coverage(desk: Path) -> None:
    options = dev.TestOptions(full=True)
    assert [run.name for run in dev.pytest_runs(options)] == ["loop time", "pytest"]
    (desk / "tests" / "benchmarks").mkdir(parents=True)
    (desk / "tests" / "benchmarks" / "test_round_trips.py").write_text("")
    benchmarks, _, rest = dev.pytest_runs(options)
    assert benchmarks == dev.Check("benchmarks", ["--run-full", "tests/benchmarks"])
    assert "--cov" in rest.command


def test_the_long_suites_run_on_request() -> None:
    assert "--run-full" in words_of_the_last_run("--full")
    assert "--cov" in words_of_the_last_run("--full")


def test_a_chosen_part_runs_alone() -> None:
    options = dev.read_test_options(["tests/app/kernel", "-k", "bus"])
    assert dev.pytest_runs(options) == [dev.Check("pytest", ["tests/app/kernel", "-k", "bus"])]


def test_a_chosen_part_runs_no_other_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "set_up", lambda **_: None)
    monkeypatch.setattr(dev, "static_checks", lambda: pytest.fail("not asked for"))
    monkeypatch.setattr(
        dev, "run_pytest", lambda run: (dev.Result(run.name, 1.0, run.command == ["-x"]), None)
    )
    assert dev.test(["-x"]) == 0
    assert dev.test(["-y"]) == dev.EXIT_CHECKS_FAILED


def test_the_quick_run_needs_no_screen_and_no_coverage() -> None:
    words = words_of_the_last_run("--quick")
    assert words == [
        *("-n", "auto", "--dist", "loadfile"),
        *("--ignore=tests/benchmarks", "-m", "not display"),
    ]


def test_tests_can_be_spread_over_processes() -> None:
    assert words_of_the_last_run("--jobs", "2")[:2] == ["-n", "2"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["lint", "app"],
        ["setup", "--all"],
        ["lock", "--now"],
        ["test", "--full", "--quick"],
        ["test", "--jobs"],
        ["test", "--jobs", "many"],
    ],
)
def test_a_wrong_command_is_refused_with_a_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "set_up", lambda **_: pytest.fail("nothing may be done"))
    assert dev.main(arguments) == dev.EXIT_USAGE
    assert capsys.readouterr().err.startswith("dev.py: ")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["help"]) == 0
    text = capsys.readouterr().out
    for command in dev.COMMANDS:
        assert command in text


def test_an_error_of_the_system_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: bool) -> None:
        raise PermissionError(13, "Permission denied", ".venv")

    monkeypatch.setattr(dev, "set_up", fail)
    assert dev.main(["setup"]) == dev.EXIT_INSTALL
    assert "Permission denied" in capsys.readouterr().err


# ---------------------------------------------------------------- the locks


def pins(path: Path) -> dict[str, str]:
    """Locked versions by name and marker, `name; marker`."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.match(r"^([a-z0-9.-]+)==([^ ;]+)\s*(;[^\\]*)?", line)
        if match:
            found[match.group(1) + (match.group(3) or "").strip()] = match.group(2)
    return found


def test_tests_run_with_the_versions_that_people_get() -> None:
    runtime, development = pins(dev.RUNTIME_LOCK), pins(dev.DEV_LOCK)
    assert runtime
    # what only an older Python needs at work, the tools may need on each
    tested = {key: development.get(key, development.get(key.split(";")[0])) for key in runtime}
    assert tested == runtime
    assert len(development) > len(runtime)


@pytest.mark.parametrize("lock", [dev.RUNTIME_LOCK, dev.DEV_LOCK])
def test_a_lock_has_hashes_and_names_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--(index|extra|find|trusted)", text, re.MULTILINE)
    for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("lock", [dev.RUNTIME_LOCK, dev.DEV_LOCK])
def test_a_lock_names_all_that_its_libraries_need(lock: Path) -> None:
    """They are installed with `--no-deps`: what a lock left out would be missing."""
    locked = {re.split(r"[ ;]", name)[0].split(";")[0] for name in pins(lock)}
    seen = 0
    for name in locked:
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for another system
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in locked, f"{need.name}, needed by {name}"
                seen += 1
    assert seen > 20


def test_the_locks_keep_to_the_limits_that_matter() -> None:
    """PySide6 6.12 ends the process on Python 3.11."""
    versions = pins(dev.RUNTIME_LOCK)
    major, minor = versions["pyside6-essentials"].split(".")[:2]
    assert (6, 10) <= (int(major), int(minor)) < (6, 12)
    assert "pyside6" not in versions


def test_locking_hides_where_packages_come_from() -> None:
    for _, command in dev.lock_commands(upgrade=False):
        assert {"--generate-hashes", "--universal", "--no-emit-index-url"} <= set(command)
        assert "--upgrade" not in command
    assert all("--upgrade" in command for _, command in dev.lock_commands(upgrade=True))
