"""From the flags of a command line to a session, for the window and without one."""

from __future__ import annotations

from typing import Any

from app.runtime.address import AddressBad, address
from app.runtime.config import Config
from app.runtime.options import StationOptions
from app.runtime.problems import ConfigError
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.runtime.tls import TlsFilesBad, tls_context


def read_config(options: StationOptions) -> Config:
    """What these flags and the files they name say. For any thread. Raises ConfigError."""
    config = resolve(options.config, blueprint=options.blueprint, flags=options.flags()).config
    _check_link(config)
    return config


def make_session(options: StationOptions, config: Config | None = None, **more: Any) -> Session:
    """The session that these flags describe. Raises ConfigError, StoreError, StateUnfit.

    `config`: what `read_config` has read of them already.
    """
    return Session(
        config or read_config(options),
        state_dir=options.state_dir,
        reset_state=options.reset_state,
        **more,
    )


def _check_link(config: Config) -> None:
    """An address or certificate that can never work is a mistake of the configuration, told at once."""
    try:
        if config.csms.url is not None:
            address(config.csms.url, config.csms.id or "-")
        tls_context(config.tls_files())
    except (AddressBad, TlsFilesBad) as error:
        raise ConfigError([error.text]) from error
