"""The command line of the training CSMS."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.runtime.exit_codes import Exit
from app.runtime.problems import ConfigError
from app.runtime.signals import polite_signals

if TYPE_CHECKING:
    from app.training.settings import CsmsSettings

FLAWS = ("expired", "not_yet_valid", "wrong_name", "self_signed")


def training_command(catalogue: Catalogue) -> click.Command:
    """`forecourt training-csms`."""

    @click.command(
        "training-csms",
        help="Run the training CSMS alone. Each line of the standard input is a request to a station: "
        "[STATION] ACTION [PAYLOAD], or [STATION] and a whole frame in brackets.",
    )
    @click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
    @click.option("--port", type=click.IntRange(0, 65535), default=9000, show_default=True)
    @click.option(
        "--security-profile",
        "profile",
        type=click.IntRange(0, 3),
        default=0,
        show_default=True,
        help="0 open to 3 mutual TLS.",
    )
    @click.option(
        "--password-file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="The password of every station (profiles 1 and 2).",
    )
    @click.option(
        "--certificates",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder with root, server and station .pem and .key; what is missing is made.",
    )
    @click.option(
        "--name", default="localhost", show_default=True, help="Host of a server certificate made."
    )
    @click.option(
        "--station",
        default="CP-1",
        show_default=True,
        help="Id of the station whose certificate is made (profile 3).",
    )
    @click.option(
        "--any-certificate",
        is_flag=True,
        help="Let stations show the certificate of another one (profile 3).",
    )
    @click.option(
        "--flaw", type=click.Choice(FLAWS), help="Make a server certificate with this flaw."
    )
    def training(host: str, port: int, **protection: Any) -> int:
        from app.training.main import serve

        def tell(text: Text) -> None:
            click.echo(catalogue.render(text))

        settings = _settings(**protection)
        if isinstance(settings, Text):
            click.echo(catalogue.render(settings), err=True)
            return int(Exit.CONFIG)
        if protection["profile"]:
            folder = {"folder": str(protection["folder"])}
            tell(Text(f"training.protected.{protection['profile']}", folder))
        try:
            with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
                asyncio.run(
                    _until_told(serve(host, port, report=tell, settings=settings, lines=sys.stdin))
                )
        except OSError as error:
            params = {"host": host, "port": port, "why": error.strerror or str(error)}
            click.echo(catalogue.render(Text("control.port_taken", params)), err=True)
            return int(Exit.CONTROL)
        return int(Exit.OK)

    return training


async def _until_told(serving: Coroutine[Any, Any, None]) -> None:
    """A polite kill and a closed terminal end it as Ctrl+C does."""
    task = asyncio.ensure_future(serving)
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows
        for name in polite_signals():
            loop.add_signal_handler(name, task.cancel)
    await task


def _settings(
    profile: int,
    password_file: Path | None,
    folder: Path | None,
    name: str,
    flaw: str | None,
    station: str,
    *,
    any_certificate: bool,
) -> CsmsSettings | Text:
    """What the CSMS serves with, or what is wrong with it. Raises UsageError for options that lack."""
    from app.runtime.settings import password_in
    from app.training.main import standalone
    from app.training.protection import protected

    if profile in (1, 2) and password_file is None:
        raise click.UsageError("security profiles 1 and 2 want --password-file")
    if profile >= 2 and folder is None:
        raise click.UsageError("security profiles 2 and 3 want --certificates")
    password = None
    try:
        if password_file is not None:
            password = password_in(password_file).decode()
    except ConfigError as error:
        return error.text
    except UnicodeDecodeError:
        return Text("runtime.config.not_utf8", {"file": str(password_file)})
    settings = replace(standalone(datetime.now(UTC)), any_certificate=any_certificate)
    try:
        return protected(
            settings,
            profile,
            password=password,
            folder=folder,
            host=name,
            flaw=flaw or "none",
            station=station,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return Text("training.protected.bad", {"folder": str(folder), "why": why})
