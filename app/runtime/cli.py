"""The command line. Nothing here imports Qt: the window is given from above, as something to call."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import __version__
from app.kernel.catalogue import Catalogue
from app.kernel.clock import showable
from app.kernel.text import Text
from app.kernel.units import parse_stamp
from app.runtime.cli_training import training_command
from app.runtime.exit_codes import Exit
from app.runtime.options import HeadlessOptions, StationOptions, WindowOptions
from app.runtime.problems import ConfigError

if TYPE_CHECKING:
    from app.ocpp.points import Point

OpenWindow = Callable[[WindowOptions], int]
SelfTest = Callable[[], int]

VERSIONS = ("1.6", "2.0.1", "auto")
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
PATH = click.Path(path_type=Path)


class Moment(click.ParamType[datetime]):
    """A date and time as OCPP writes it."""

    name = "date-time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = parse_stamp(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date-time; write 2026-01-15T08:00:00Z", param, ctx)
        if not showable(moment):
            self.fail(f"{value!r} is no time for a station", param, ctx)
        return moment


_STATION_OPTIONS = (
    click.option("--csms", metavar="URL", help="The back office, ws:// or wss://, without the id."),
    click.option("--id", metavar="ID", help="The station's id."),
    click.option("--version", type=click.Choice(VERSIONS), help="The OCPP version to speak."),
    click.option("--blueprint", metavar="FILE", help="The hardware: a file or a built-in name."),
    click.option("--config", type=FILE, help="A configuration file, TOML or JSON."),
    click.option("--state-dir", type=FOLDER, help="Where the station keeps what must survive."),
    click.option("--reset-state", is_flag=True, help="Forget what the state folder holds first."),
    click.option("--security-profile", type=click.IntRange(0, 3), help="0 open to 3 mutual TLS."),
    click.option("--password-file", type=FILE, help="A file with the Basic Auth password."),
    click.option("--ca", type=PATH, help="Root certificates to trust: a PEM file or a folder."),
    click.option("--cert", type=FILE, help="The station's own certificate, PEM."),
    click.option("--key", type=FILE, help="Its private key, PEM."),
    click.option("--clock", type=Moment(), help="Station time at the start; set by nobody else."),
    click.option(
        "--strict/--pragmatic", default=None, help="Ask at open points, or take the default."
    ),
)


def station_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags that window and headless station share."""
    for option in reversed(_STATION_OPTIONS):
        command = option(command)
    return command


_NAMES = tuple(StationOptions.__dataclass_fields__)


def _split(flags: dict[str, Any]) -> tuple[StationOptions, dict[str, Any]]:
    own = {name: value for name, value in flags.items() if name in _NAMES}
    rest = {name: value for name, value in flags.items() if name not in _NAMES}
    return StationOptions(**own), rest


def main(
    arguments: list[str] | None = None,
    *,
    open_window: OpenWindow | None = None,
    self_test: SelfTest | None = None,
) -> int:
    """Run a command line. Returns the exit code; a user's mistake is a sentence on stderr."""
    catalogue = Catalogue.load()
    group = _build(catalogue, open_window, self_test)
    try:
        result = group.main(args=arguments, prog_name="forecourt", standalone_mode=False)
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return int(Exit.USAGE)
    except (click.Abort, KeyboardInterrupt):
        return int(Exit.INTERRUPTED)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(catalogue.render(problem), err=True)
        return int(Exit.CONFIG)
    return int(result or 0)


def _build(
    catalogue: Catalogue, open_window: OpenWindow | None, self_test: SelfTest | None
) -> click.Group:
    @click.group(
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Forecourt, a charging station on your desk. Without a command it opens its window.",
    )
    @station_options
    @click.option("--theme", type=click.Choice(("dark", "light")), help="Colours of the window.")
    @click.option("--language", metavar="CODE", help="Language of the window, for example en.")
    @click.option("--self-test", is_flag=True, help="Run a session in both versions and report.")
    @click.option("--app-version", is_flag=True, help="Tell the version of Forecourt.")
    @click.pass_context
    def forecourt(
        context: click.Context, /, self_test: bool, app_version: bool, **flags: Any
    ) -> int:
        if context.invoked_subcommand is not None:
            return 0
        return _top(flags, run_self_test=self_test, tell_version=app_version)

    def _top(flags: dict[str, Any], *, run_self_test: bool, tell_version: bool) -> int:
        if tell_version:
            click.echo(f"forecourt {__version__}")
            return 0
        action = self_test if run_self_test else None
        if run_self_test and action is not None:
            return action()
        if open_window is None:
            click.echo(catalogue.render(Text("control.no_window")), err=True)
            return int(Exit.WINDOW)
        station, rest = _split(flags)
        return open_window(WindowOptions(station, **rest))

    forecourt.add_command(_headless(catalogue))
    forecourt.add_command(training_command(catalogue))
    forecourt.add_command(_config(catalogue))
    forecourt.add_command(_export(catalogue))
    forecourt.add_command(_import(catalogue))
    return forecourt


def _headless(catalogue: Catalogue) -> click.Command:
    @click.command(help="Run the station without a window, for scripts and CI.")
    @station_options
    @click.option(
        "--control",
        default="stdio",
        show_default=True,
        metavar="stdio|ws://127.0.0.1:PORT",
        help="Where the control API listens; port 0 takes a free one.",
    )
    @click.option("--control-token-file", type=FILE, help="Token of the WebSocket control API.")
    @click.option(
        "--connect-timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="S",
        help="End with code 6 when there is no connection within S seconds; no attempt takes longer.",
    )
    @click.option("--verbose", is_flag=True, help="Tell more on stderr.")
    def headless(verbose: bool, **flags: Any) -> int:
        from app.runtime.headless import run_headless

        logging.basicConfig(
            stream=sys.stderr,
            level=logging.INFO if verbose else logging.WARNING,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        station, rest = _split(flags)
        code = asyncio.run(run_headless(HeadlessOptions(station, **rest), catalogue))
        return int(code)

    return headless


def _export(catalogue: Catalogue) -> click.Command:
    @click.command(
        "export-station",
        help="Put configuration, state and journal of a station into a file, without its secrets.",
    )
    @click.argument("file", type=FILE)
    @station_options
    def export(file: Path, **flags: Any) -> int:
        from app.runtime.archive import STATE_FILE, ArchiveError, export_station
        from app.runtime.settings import resolve
        from app.runtime.store import Store, StoreError, StoreLocked

        station, _ = _split(flags)
        folder = station.state_dir
        if folder is None or not (folder / STATE_FILE).is_file():
            params = {"folder": str(folder or "-")}
            click.echo(catalogue.render(Text("archive.no_state", params)), err=True)
            return int(Exit.STATE)
        config = resolve(station.config, blueprint=station.blueprint, flags=station.flags()).config
        try:
            with contextlib.closing(Store(folder / STATE_FILE)) as store:
                found = export_station(file, config, store, folder)
        except (StoreError, ArchiveError) as error:
            click.echo(catalogue.render(error.text), err=True)
            return int(Exit.STATE_LOCKED if isinstance(error, StoreLocked) else Exit.STATE)
        params = {
            "station": found.station,
            "file": str(file),
            "rows": str(found.rows),
            "events": str(found.events),
        }
        click.echo(catalogue.render(Text("archive.exported", params)))
        return 0

    return export


def _import(catalogue: Catalogue) -> click.Command:
    @click.command("import-station", help="Make a state folder of an exported station.")
    @click.argument("file", type=FILE)
    @click.option("--state-dir", type=FOLDER, required=True, help="A folder that is not there yet.")
    def import_(file: Path, state_dir: Path) -> int:
        from app.runtime.archive import CONFIG, ArchiveError, import_station

        try:
            found = import_station(file, state_dir)
        except ArchiveError as error:
            click.echo(catalogue.render(error.text), err=True)
            return int(Exit.STATE)
        params = {
            "station": found.station,
            "folder": str(state_dir),
            "config": str(state_dir / CONFIG),
        }
        click.echo(catalogue.render(Text("archive.imported", params)))
        return 0

    return import_


def _config(catalogue: Catalogue) -> click.Group:
    @click.group("config", help="Look at configurations.")
    def config() -> None:
        pass

    @config.command(help="Print each value and where it came from.")
    @station_options
    @click.option("--all", "everything", is_flag=True, help="Defaults too.")
    def show(everything: bool, **flags: Any) -> int:
        from app.runtime.settings import Source, resolve

        station, _ = _split(flags)
        resolved = resolve(station.config, blueprint=station.blueprint, flags=station.flags())
        for value in resolved.values:
            if everything or value.source is not Source.DEFAULT:
                shown = json.dumps(value.value, ensure_ascii=False, default=str)
                click.echo(f"{value.path} = {shown}  # {value.source.value}")
        return 0

    @config.command(help="Check a configuration file.")
    @click.argument("file", type=FILE)
    def check(file: Path) -> int:
        from app.runtime.settings import resolve

        resolve(file)
        click.echo(catalogue.render(Text("control.config_good", {"file": str(file)})))
        return 0

    @config.command(help="List the open points of the specification and what can be chosen there.")
    @click.option(
        "--toml", "as_file", is_flag=True, help="As a configuration for strict mode: the defaults."
    )
    def points(as_file: bool) -> int:
        from app.ocpp.points import registry

        if as_file:
            click.echo(_points_as_toml(registry().values()), nl=False)
            return 0
        for point in registry().values():
            click.echo(f"{point.id}: {point.question}")
            if point.awaits is not None:
                text = Text("control.point_awaits", {"part": point.awaits})
                click.echo(f"    {catalogue.render(text)}")
                continue
            for option in point.options:
                marks = [
                    Text(f"control.option_{mark}")
                    for mark, holds in (
                        ("default", option.key == point.default),
                        ("breaks", not option.conformant),
                    )
                    if holds
                ]
                tail = "".join(f" ({catalogue.render(mark)})" for mark in marks)
                click.echo(f"    {option.key}{tail}: {option.summary}")
        return 0

    @config.command(help="Print the JSON schema of configuration files.")
    def schema() -> int:
        from app.runtime.settings import config_schema

        click.echo(json.dumps(config_schema(), indent=2))
        return 0

    return config


def _points_as_toml(points: Iterable[Point]) -> str:
    """A configuration that decides each point as the default does."""
    lines = ['mode = "strict"', "", "[open_points]"]
    for point in points:
        if point.awaits is None:
            options = " | ".join(option.key for option in point.options)
            chosen = f"{json.dumps(point.id)} = {json.dumps(point.default)}"
            lines += [f"# {point.question}", f"# {options}", chosen]
    return "\n".join(lines) + "\n"
