#!/usr/bin/env python3
"""Everything a checkout of Forecourt needs, with nothing but Python's standard library.

    python3 dev.py run                 set up what is missing and open the window
    python3 dev.py run headless ...    the same program with arguments
    python3 dev.py test                set up what is missing, run every check and test
    python3 dev.py help                the other commands

The libraries live in `.venv` beside this file and come from the lock files, by hash. A stamp in
`.venv` remembers which lock was installed, so that the second start goes straight to the program.

This file has to be readable for old Pythons too, because it is the one that tells people that
theirs is too old: no syntax newer than 3.6, annotations with brackets are quoted.
"""

import ctypes
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"  # a superset of the runtime lock
BENCHMARKS = "tests/benchmarks"

WINDOWS = os.name == "nt"
LINUX = sys.platform.startswith("linux")

MINORS = (11, 12, 13)  # Python 3.x versions that fit, as in pyproject.toml
PREFERRED_MINORS = (12, 13, 11)
NEEDED_DISK_MB = 900

EXIT_CHECKS_FAILED = 1
EXIT_USAGE = 2
EXIT_PYTHON = 3
EXIT_SYSTEM = 4
EXIT_INSTALL = 5

# Shared library -> the Debian package that brings it. Qt loads most of them late, so a missing
# one shows as a program that ends without a word.
LIBRARIES = (
    ("libEGL.so.1", "libegl1"),
    ("libGL.so.1", "libgl1"),
    ("libglib-2.0.so.0", "libglib2.0-0"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libfontconfig.so.1", "libfontconfig1"),
    ("libfreetype.so.6", "libfreetype6"),
    ("libX11-xcb.so.1", "libx11-xcb1"),
    ("libxcb-cursor.so.0", "libxcb-cursor0"),
    ("libxcb-icccm.so.4", "libxcb-icccm4"),
    ("libxcb-image.so.0", "libxcb-image0"),
    ("libxcb-keysyms.so.1", "libxcb-keysyms1"),
    ("libxcb-randr.so.0", "libxcb-randr0"),
    ("libxcb-render-util.so.0", "libxcb-render-util0"),
    ("libxcb-shape.so.0", "libxcb-shape0"),
    ("libxcb-sync.so.1", "libxcb-sync1"),
    ("libxcb-xfixes.so.0", "libxcb-xfixes0"),
    ("libxcb-xinerama.so.0", "libxcb-xinerama0"),
    ("libxcb-xkb.so.1", "libxcb-xkb1"),
)
FONT_PACKAGE = "fonts-dejavu-core"
FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
)
TEST_TOOLS = (("Xvfb", "xvfb"), ("xdotool", "xdotool"))

HELP = """usage: python3 dev.py COMMAND [arguments]

  run [arguments]        set up what is missing, then start Forecourt (also: forecourt)
                         without arguments: the window; `run headless --help` for the rest
  test [options] [args]  set up what is missing, then run every check and test
      --full             the long suites too
      --quick            no coverage, no tests that need a screen, on all cores
      --jobs N           spread the tests over N processes
      args               go to pytest; with them only pytest runs, without the coverage gate
  lint                   the checks without the tests
  format                 format the code and apply the safe fixes
  setup [--dev]          only set up; --dev: what the tests need, too
  lock [--upgrade]       write both lock files again from pyproject.toml (needs uv);
                         --upgrade: with the newest versions that fit
  help                   this text

exit codes: 0 fine, 1 a check failed, 2 wrong command, 3 no fitting Python,
            4 a system package is missing, 5 the installation failed; `run` gives the program's own
"""


class Problem(Exception):
    """Something the person at the keyboard can put right: a sentence and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Tell what is going on, apart from the output of what is run."""
    print("dev.py: " + text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- the interpreter


def fits(version: "tuple[int, ...]") -> bool:
    """Whether Forecourt runs on this Python version."""
    return version[0] == 3 and version[1] in MINORS


def wrong_python_message(version: "tuple[int, ...]") -> str:
    """The sentence for a computer without any fitting Python."""
    if LINUX:
        # Not `python3`: where this is said, that is too old or too new.
        how = "with your package manager (python3.12 and python3.12-venv on Debian and Ubuntu) or "
        how += "with uv (`uv python install 3.12`)"
    else:
        how = "from python.org"
    return (
        f"Forecourt needs Python 3.11, 3.12 or 3.13; this is Python {version[0]}.{version[1]} "
        f"and no other was found. Install one {how} and start this command again."
    )


def interpreter_candidates() -> "list[list[str]]":
    """Commands that might start a fitting Python, best first."""
    found = []
    for minor in PREFERRED_MINORS:
        path = shutil.which(f"python3.{minor}")
        if path:
            found.append([path])
        launcher = shutil.which("py") if WINDOWS else None
        if launcher:
            found.append([launcher, f"-3.{minor}"])
    return found


def ask_version(command: "list[str]") -> "tuple[str, tuple[int, ...]] | None":
    """The real path and version behind a command, or None if it does not start.

    A command on the PATH proves nothing: version managers put shims there for every version.
    """
    question = "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)"
    try:
        result = subprocess.run(
            [*command, "-c", question],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    parts = result.stdout.decode("utf-8", "replace").strip().split(" ", 2)
    if result.returncode != 0 or len(parts) != 3:
        return None
    return parts[2], (int(parts[0]), int(parts[1]))


def find_interpreter() -> "str | None":
    """The path of a fitting Python other than the running one."""
    for command in interpreter_candidates():
        answer = ask_version(command)
        if answer is not None and fits(answer[1]):
            return answer[0]
    return None


def hand_over(interpreter: str, arguments: "list[str]") -> int:
    """Start this same file again with a Python that fits."""
    say("this Python does not fit; going on with " + interpreter)
    return subprocess.call([interpreter, str(ROOT / "dev.py"), *arguments])


# ---------------------------------------------------------------- system packages


def loader_cache() -> "set[str]":
    """Names of the shared libraries the dynamic loader knows."""
    for tool in ("ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"):
        path = shutil.which(tool)
        if path is None:
            continue
        try:
            output = subprocess.check_output([path, "-p"], stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            continue
        return {line.split()[0] for line in output.decode().splitlines()[1:] if line.strip()}
    return set()


def loadable(name: str) -> bool:
    """Whether the dynamic loader finds a library; slower than its cache, but never wrong."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def has_font(folders: "tuple[str, ...]" = FONT_FOLDERS) -> bool:
    """Whether there is any font: without one Qt draws boxes."""
    endings = (".ttf", ".otf", ".ttc", ".pfb")
    return any(
        name.lower().endswith(endings)
        for folder in folders
        for _, _, names in os.walk(os.path.expanduser(folder))  # noqa: PTH111 - one call, no object
        for name in names
    )


def missing_window_packages() -> "list[str]":
    """Debian packages without which Qt does not start here, or shows no text."""
    known = loader_cache()
    missing = [package for name, package in LIBRARIES if name not in known and not loadable(name)]
    if not has_font():
        missing.append(FONT_PACKAGE)
    return missing


def missing_test_packages() -> "list[str]":
    """Debian packages of the tools that tests in a real window use."""
    return [package for tool, package in TEST_TOOLS if shutil.which(tool) is None]


def apt_command(packages: "list[str]") -> str:
    """What a person without root types to install packages."""
    return "sudo apt-get update && sudo apt-get install -y --no-install-recommends " + " ".join(
        packages
    )


def may_install() -> bool:
    """Whether this run can install system packages itself."""
    return LINUX and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: "list[str]") -> bool:
    """Install Debian packages as root; True when apt says it did."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    options = ["-qq", "-o", "DPkg::Lock::Timeout=120"]
    say("installing system packages: " + " ".join(packages))
    # An outdated list is no reason to stop: what is needed may be in it.
    subprocess.call(
        ["apt-get", *options, "update"], env=environment, stdin=subprocess.DEVNULL, stdout=2
    )
    command = ["apt-get", *options, "install", "-y", "--no-install-recommends", *packages]
    return subprocess.call(command, env=environment, stdin=subprocess.DEVNULL, stdout=2) == 0


def missing_message(packages: "list[str]", reason: str) -> str:
    """The sentence that tells which command brings the missing packages."""
    if shutil.which("apt-get") is None:
        return (
            f"{reason} needs system libraries that were not found here. On Debian their packages "
            f"are called {' '.join(packages)}; install what your system calls them."
        )
    command = apt_command(packages)
    return f"{reason} needs system packages that are missing. Install them with:\n  {command}"


def ensure_window_packages() -> None:
    """Make sure that Qt can start, on Linux."""
    missing = missing_window_packages() if LINUX else []
    if missing and may_install():
        apt_install(missing)
        missing = missing_window_packages()
    if not missing:
        return
    message = missing_message(missing, "The window")
    if shutil.which("apt-get") is None:
        say(message)  # the names are a guess on such a system: let Qt have its try
        return
    raise Problem(message, EXIT_SYSTEM)


def ensure_test_packages() -> None:
    """Make sure that tests in a real window can run, on Linux; without, they are skipped."""
    missing = missing_test_packages() if LINUX else []
    if missing and may_install():
        apt_install(missing)
        missing = missing_test_packages()
    if missing:
        say(missing_message(missing, "Testing in a real window"))


# ---------------------------------------------------------------- the virtual environment


def venv_python() -> Path:
    """The interpreter of our environment."""
    return VENV / "Scripts" / "python.exe" if WINDOWS else VENV / "bin" / "python"


def venv_version() -> "tuple[int, ...] | None":
    """The Python version of our environment, or None if it is not usable."""
    try:
        text = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return None
    match = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", text, re.MULTILINE)
    if match is None or not venv_python().exists():
        return None
    # A new release of the system puts another Python in the place that the environment points at.
    behind = re.search(r"python(\d+)\.(\d+)$", os.path.realpath(str(venv_python())))
    if behind is not None and behind.groups() != match.groups():
        return None
    return int(match.group(1)), int(match.group(2))


def base_python() -> str:
    """The installed Python behind the running one, which may itself be in an environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def venv_package(minor: int) -> str:
    """The Debian package that lets a Python make environments."""
    default = os.path.realpath("/usr/bin/python3")
    return "python3-venv" if default.endswith(f"3.{minor}") else f"python3.{minor}-venv"


def can_make_venv() -> bool:
    """Whether the base Python has `venv` and `ensurepip`; Debian ships them apart."""
    command = [base_python(), "-c", "import venv, ensurepip"]
    return subprocess.call(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) == 0


def ensure_venv_module() -> None:
    """Make sure that an environment can be made."""
    if can_make_venv():
        return
    package = venv_package(sys.version_info[1])
    if may_install():
        apt_install([package])
        if can_make_venv():
            return
    if LINUX:
        raise Problem(
            missing_message([package], "Setting up Forecourt's own Python environment"), EXIT_SYSTEM
        )
    raise Problem(
        "This Python comes without `venv` and `ensurepip`. Install Python from python.org and "
        "start this command again.",
        EXIT_SYSTEM,
    )


def ensure_venv() -> None:
    """Make `.venv` unless there is a usable one."""
    version = venv_version()
    if version is not None and fits(version):
        return
    ensure_venv_module()
    ensure_disk()
    if VENV.exists():
        say("the environment in .venv does not work any more: making a new one")
        shutil.rmtree(str(VENV))
    say("making Forecourt's own Python environment in .venv")
    if subprocess.call([base_python(), "-m", "venv", str(VENV)], stdin=subprocess.DEVNULL) != 0:
        shutil.rmtree(str(VENV), ignore_errors=True)
        raise Problem(
            f"Python could not make an environment in {VENV}; the reason stands above.",
            EXIT_INSTALL,
        )


def ensure_disk(needed_mb: int = NEEDED_DISK_MB) -> None:
    """Stop before a half-made installation when the disk is nearly full."""
    free_mb = shutil.disk_usage(str(ROOT)).free // 1_000_000
    if free_mb < needed_mb:
        raise Problem(
            f"Forecourt's libraries need about {needed_mb} MB in {ROOT}, but only {free_mb} MB "
            "are free. Make room and start this command again.",
            EXIT_INSTALL,
        )


# ---------------------------------------------------------------- libraries from the lock


def fingerprint(lock: Path, version: "tuple[int, ...] | None") -> str:
    """What an installation from a lock is known by: the lock's text and the Python."""
    digest = hashlib.sha256(lock.read_bytes())
    digest.update(repr(version).encode())
    return digest.hexdigest()


def stamp_path() -> Path:
    """Where the environment keeps what was installed into it."""
    return VENV / "forecourt-setup.json"


def read_stamp() -> "dict[str, str]":
    """What was installed; empty when nothing was, or the note is damaged."""
    try:
        stamp = json.loads(stamp_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(stamp: "dict[str, str]") -> None:
    """Remember what was installed, whole or not at all."""
    path = stamp_path()
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def install_failure(output: str) -> str:
    """The sentence for a failed installation, from what pip said."""
    lowered = output.lower()
    if "no space left" in lowered or "disk quota" in lowered:
        return "The disk is full. Make room and start this command again."
    if "do not match the hashes" in lowered:
        return (
            "A downloaded library differs from the one that was locked. Do not go on with it: "
            "look at the package index or proxy in use, then start this command again."
        )
    network = ("connection", "name resolution", "timed out", "getaddrinfo", "proxy", "ssl")
    if any(word in lowered for word in network):
        return (
            "The libraries could not be downloaded. Look at the network connection (and at the "
            "proxy or pip settings, if you need them), then start this command again."
        )
    if "no matching distribution" in lowered:
        return (
            "One of the libraries is not offered for this computer. Forecourt needs Windows 10, "
            "macOS 13 or a Linux with glibc 2.34 (Debian 12, Ubuntu 22.04) or newer."
        )
    return "The libraries could not be installed; pip's own words stand above."


def pip_install(lock: Path) -> None:
    """Install exactly what a lock names, by hash and without building anything.

    A lock is complete, so nothing is left to resolve; a pip that tried (as of 2023) would take the
    newest release for a requirement with an extra, `coverage[toml]`, and refuse it for its hash.
    """
    command = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["-r", str(lock)]
    if not sys.stderr.isatty():
        command.append("--quiet")
    heard = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=2,  # our own stdout belongs to the program that is run
        stderr=subprocess.PIPE,
    ) as process:
        for line in process.stderr:
            heard.append(line.decode("utf-8", "replace"))
            sys.stderr.write(heard[-1])
    if process.returncode != 0:
        raise Problem(install_failure("".join(heard)), EXIT_INSTALL)


def ensure_libraries(dev: bool) -> None:
    """Install the libraries of the lock unless the stamp says that they are there."""
    stamp = read_stamp()
    version = venv_version()
    wanted = {"runtime": fingerprint(RUNTIME_LOCK, version)}
    if dev:
        wanted["dev"] = fingerprint(DEV_LOCK, version)
    if all(stamp.get(name) == value for name, value in wanted.items()):
        return
    ensure_disk()
    say("installing the libraries into .venv; the first time this takes a minute or two")
    write_stamp({})  # an installation that breaks off leaves neither these nor those before
    pip_install(DEV_LOCK if dev else RUNTIME_LOCK)
    stamp.update(wanted)
    write_stamp(stamp)


# ---------------------------------------------------------------- the program


def program_command(arguments: "list[str]") -> "list[str]":
    """How the program is started; -P keeps the working directory out of the imports."""
    return [str(venv_python()), "-P", "-m", "ui", *arguments]


def program_environment() -> "dict[str, str]":
    """The environment with this checkout on the import path."""
    inherited = os.environ.get("PYTHONPATH")
    path = str(ROOT) + (os.pathsep + inherited if inherited else "")
    return dict(os.environ, PYTHONPATH=path)


def launcher_text(windows: bool) -> str:
    """The script that starts Forecourt from any folder."""
    if windows:
        lines = (
            "@echo off",
            "rem Written by dev.py; starts Forecourt from this checkout.",
            "setlocal",
            f'set "PYTHONPATH={ROOT};%PYTHONPATH%"',
            f'"{VENV}\\Scripts\\python.exe" -P -m ui %*',
        )
        return "\r\n".join(lines) + "\r\n"
    return (
        "#!/bin/sh\n"
        "# Written by dev.py; starts Forecourt from this checkout.\n"
        f"PYTHONPATH={shlex.quote(str(ROOT))}${{PYTHONPATH:+:$PYTHONPATH}}\n"
        "export PYTHONPATH\n"
        f'exec {shlex.quote(str(VENV / "bin" / "python"))} -P -m ui "$@"\n'
    )


def launcher_path() -> Path:
    """Where the launcher lies."""
    return VENV / "Scripts" / "forecourt.cmd" if WINDOWS else VENV / "bin" / "forecourt"


def ensure_launcher() -> None:
    """Write the launcher if it is missing or from another place."""
    path, text = launcher_path(), launcher_text(WINDOWS)
    if not path.exists() or path.read_bytes() != text.encode("utf-8"):
        path.write_bytes(text.encode("utf-8"))
        path.chmod(0o755)


def opens_a_window(arguments: "list[str]") -> bool:
    """Whether these arguments start the program with Qt: sub-commands do without."""
    return not arguments or arguments[0].startswith("-")


def set_up(dev: bool, window: bool) -> None:
    """Everything that has to be there before a program or a test starts."""
    if window:
        ensure_window_packages()
    if dev:
        ensure_test_packages()
    ensure_venv()
    ensure_libraries(dev)
    ensure_launcher()


def run_program(arguments: "list[str]") -> int:
    """Start Forecourt in the working directory of the caller and give back its exit code."""
    set_up(dev=False, window=opens_a_window(arguments))
    command, environment = program_command(arguments), program_environment()
    if WINDOWS:
        return subprocess.call(command, env=environment)
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # signals and the exit code are the program's own
    raise AssertionError("execve returned")


# ---------------------------------------------------------------- checks and tests


class Check(NamedTuple):
    """One check of `test` and `lint`: a name and a command."""

    name: str
    command: "list[str]"
    look_again: bool = False
    """Run once more what failed: what another program did to a measurement does not repeat itself."""


class Result(NamedTuple):
    """How a check ended."""

    name: str
    seconds: float
    passed: bool


def verdict(result: Result) -> str:
    """The word for how a check ended."""
    return "ok" if result.passed else "FAILED"


def static_checks() -> "list[Check]":
    """The checks that only read the source."""
    python = str(venv_python())
    import_linter = "from importlinter.cli import lint_imports_command as main; main()"
    return [
        Check("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        Check("ruff check", [python, "-m", "ruff", "check", "."]),
        Check("mypy --strict app", [python, "-m", "mypy"]),
        Check("import layers", [python, "-c", import_linter]),
    ]


def run_check(check: Check) -> Result:
    """Run a check; its words are shown only when it fails."""
    start = time.monotonic()
    process = subprocess.run(
        check.command,
        cwd=str(ROOT),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    result = Result(check.name, time.monotonic() - start, process.returncode == 0)
    print(f"{check.name:<20} {verdict(result)}", flush=True)
    if not result.passed:
        print(process.stdout.decode("utf-8", "replace"), flush=True)
    return result


def test_environment() -> "dict[str, str]":
    """Tests need no screen unless they say so themselves."""
    environment = dict(os.environ)
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    return environment


class Counts(NamedTuple):
    """How many tests ended in which way."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"tests: {self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_counts(report: Path) -> "Counts | None":
    """The tests from the report pytest wrote; None when it wrote none."""
    try:
        suites = list(ElementTree.parse(str(report)).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return None

    def total(name: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites)

    failed, skipped = total("failures") + total("errors"), total("skipped")
    return Counts(max(total("tests") - failed - skipped, 0), failed, skipped)


def run_pytest(run: Check) -> "tuple[Result, Counts | None]":
    """Run tests with their output shown as it comes."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(venv_python()), "-m", "pytest", "--junitxml=" + str(report), *run.command]
        code = subprocess.call(
            command, cwd=str(ROOT), env=test_environment(), stdin=subprocess.DEVNULL
        )
        counts = read_counts(report)
    return Result(run.name, time.monotonic() - start, code == 0), counts


def run_tests(run: Check) -> "tuple[Result, Counts | None]":
    """As `run_pytest`, with the second look at a measurement that failed."""
    result, counts = run_pytest(run)
    if result.passed or not run.look_again or counts is None:
        return result, counts
    print(f"{run.name}: what failed is measured once more", flush=True)
    again, more = run_pytest(run._replace(command=[*run.command, "--last-failed"]))
    if more is not None:
        counts = Counts(counts.passed + more.passed, more.failed, counts.skipped)
    return Result(run.name, result.seconds + again.seconds, again.passed), counts


def result_table(results: "list[Result]") -> str:
    """Name, time and verdict of every check."""
    rows = ["", f"{'check':<20} {'seconds':>8}  verdict"]
    rows += [f"{result.name:<20} {result.seconds:>8.1f}  {verdict(result)}" for result in results]
    return "\n".join(rows)


class TestOptions(NamedTuple):
    """What `test` was asked for."""

    full: bool = False
    quick: bool = False
    jobs: "str | None" = None
    own: "tuple[str, ...]" = ()


def read_test_options(arguments: "list[str]") -> TestOptions:
    """Tell our own options from what goes on to pytest."""
    rest, own = list(arguments), []
    options = TestOptions()
    while rest:
        word = rest.pop(0)
        if word == "--full":
            options = options._replace(full=True)
        elif word == "--quick":
            options = options._replace(quick=True)
        elif word == "--jobs":
            if not rest or not rest[0].isdigit():
                raise Problem("`--jobs` wants a number, as in `--jobs 2`.", EXIT_USAGE)
            options = options._replace(jobs=rest.pop(0))
        else:
            own.append(word)
    if options.full and options.quick:
        raise Problem("`--full` and `--quick` contradict each other.", EXIT_USAGE)
    return options._replace(own=tuple(own))


def pytest_runs(options: TestOptions) -> "list[Check]":
    """The runs of pytest with their arguments, the main one last.

    What measures time has runs of its own, first and in one process: benchmarks, and the tests that judge
    how long callbacks hold the event loop. Measuring coverage makes all code two to four times slower.
    """
    words = ["--run-full"] if options.full else []
    jobs = options.jobs or ("auto" if options.quick else None)
    spread = ["-n", jobs, "--dist", "loadfile"] if jobs else []
    if options.own:
        screen = ["-m", "not display"] if options.quick else []
        return [Check("pytest", [*words, *screen, *spread, *options.own])]
    without_benchmarks = [*words, *spread, "--ignore=" + BENCHMARKS]
    if options.quick:
        return [Check("pytest", [*without_benchmarks, "-m", "not display"])]
    measured = ["-m", "not loop_time", "--cov", "--cov-report=term"]
    runs = [
        Check("loop time", [*words, "--ignore=" + BENCHMARKS, "-m", "loop_time"], look_again=True),
        Check("pytest", [*without_benchmarks, *measured]),
    ]
    if any((ROOT / BENCHMARKS).glob("**/test_*.py")):
        runs.insert(0, Check("benchmarks", [*words, BENCHMARKS]))
    return runs


def test(arguments: "list[str]") -> int:
    """Run every check and every test; all of them, even when an early one fails."""
    options = read_test_options(arguments)
    set_up(dev=True, window=True)
    results = [] if options.own else [run_check(check) for check in static_checks()]
    counted = []
    for run in pytest_runs(options):
        result, counts = run_tests(run)
        results.append(result)
        counted += [counts] if counts else []
    print(result_table(results), flush=True)
    if counted:
        print(f"\n{Counts(*map(sum, zip(*counted)))}", flush=True)  # noqa: B905 - since 3.10
    return 0 if all(result.passed for result in results) else EXIT_CHECKS_FAILED


def lint(arguments: "list[str]") -> int:
    """Run the checks without the tests."""
    refuse_unknown("lint", arguments)
    set_up(dev=True, window=False)
    results = [run_check(check) for check in static_checks()]
    return 0 if all(result.passed for result in results) else EXIT_CHECKS_FAILED


def format_code(arguments: "list[str]") -> int:
    """Bring the code into its one form."""
    refuse_unknown("format", arguments)
    set_up(dev=True, window=False)
    ruff = [str(venv_python()), "-m", "ruff"]
    fixed = subprocess.call([*ruff, "check", "--fix", "."], cwd=str(ROOT))
    formatted = subprocess.call([*ruff, "format", "."], cwd=str(ROOT))
    return 0 if fixed == 0 and formatted == 0 else EXIT_CHECKS_FAILED


def refuse_unknown(command: str, arguments: "list[str]", *known: str) -> None:
    """Refuse words that a command does not know, rather than pass over them."""
    unknown = [word for word in arguments if word not in known]
    if unknown:
        raise Problem(f"`{command}` does not know {' '.join(unknown)}.", EXIT_USAGE)


# ---------------------------------------------------------------- locks

LOCK_HEADER = "# Written by `python3 dev.py lock` from pyproject.toml; do not edit.\n"


def lock_commands(upgrade: bool) -> "list[tuple[Path, list[str]]]":
    """How each lock file is made; neither may name the address of a package index."""
    common = ["uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal"]
    common += ["--generate-hashes", "--python-version", "3.11", "--no-header"]
    common += ["--no-emit-index-url", "--no-emit-find-links", *(["--upgrade"] if upgrade else [])]
    runtime = [*common, "-o", RUNTIME_LOCK.name]
    # Constrained, so that tests run with the versions that people get.
    dev = [*common, "--group", "dev", "-c", RUNTIME_LOCK.name, "-o", DEV_LOCK.name]
    return [(RUNTIME_LOCK, runtime), (DEV_LOCK, dev)]


def lock(arguments: "list[str]") -> int:
    """Write both lock files again; versions move only where they must, or with --upgrade."""
    refuse_unknown("lock", arguments, "--upgrade")
    if shutil.which("uv") is None:
        raise Problem("Locking needs uv: `python3 -m pip install uv`.", EXIT_SYSTEM)
    for path, command in lock_commands("--upgrade" in arguments):
        if subprocess.call(command, cwd=str(ROOT), stdout=subprocess.DEVNULL) != 0:
            raise Problem("uv could not resolve the dependencies; see above.", EXIT_INSTALL)
        path.write_text(LOCK_HEADER + path.read_text(encoding="utf-8"), encoding="utf-8")
    return 0


# ---------------------------------------------------------------- commands


def set_up_only(arguments: "list[str]") -> int:
    """The `setup` command."""
    refuse_unknown("setup", arguments, "--dev")
    set_up(dev="--dev" in arguments, window=True)
    say(f"ready. Start Forecourt with `python3 dev.py run` or {launcher_path()}")
    return 0


COMMANDS = {
    "run": run_program,
    "forecourt": run_program,
    "test": test,
    "setup": set_up_only,
    "lint": lint,
    "format": format_code,
    "lock": lock,
}


def dispatch(arguments: "list[str]") -> int:
    """Carry out one command."""
    if not arguments or arguments[0] in ("help", "-h", "--help"):
        print(HELP, end="")
        return 0 if arguments else EXIT_USAGE
    command = COMMANDS.get(arguments[0])
    if command is None:
        raise Problem(f"There is no command `{arguments[0]}`; see `dev.py help`.", EXIT_USAGE)
    return command(arguments[1:])


def main(arguments: "list[str]") -> int:
    """Carry out a command with a fitting Python; every expected failure is one sentence."""
    try:
        version = tuple(sys.version_info[:2])
        if not fits(version):
            interpreter = find_interpreter()
            if interpreter is None:
                raise Problem(wrong_python_message(version), EXIT_PYTHON)
            return hand_over(interpreter, arguments)
        return dispatch(arguments)
    except Problem as problem:
        say(str(problem))
        return problem.code
    except OSError as error:
        say(f"could not go on: {error}")
        return EXIT_INSTALL
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
