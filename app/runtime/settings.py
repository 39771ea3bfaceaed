"""Where a station's settings come from: flag over configuration over blueprint over default.

What the protocol or a person changed later lives in the state and wins until it is reset; that is not
settled here.
"""

from __future__ import annotations

import json
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date, time
from enum import Enum
from pathlib import Path
from typing import Any

from app.kernel.forms import Unfilled, as_data, fill, names, required, values
from app.kernel.resources import is_file, resource
from app.kernel.text import Text
from app.runtime import presets
from app.runtime.config import Config, Settings
from app.runtime.problems import ConfigError, problem
from app.runtime.tls import TlsFilesBad
from app.station.blueprint import Blueprint, BlueprintError

DEFAULT_BLUEPRINT = "public-ac-2x22"
HARDWARE = frozenset(names(Blueprint))
"""Keys of the hardware part, at the top of the file as in a blueprint."""
WHOLE = frozenset(required(Blueprint))
"""A file that has all of these describes a station of its own; one with fewer changes another one."""

SECRETS = ("security.password",)
_PATHS = ("password_file", "ca", "certificate", "key", "ca_folder", "certificate_folder", "crl")

_OUSTED = {
    "security.password_file": "security.password",
    "security.certificate": "security.key",
}
"""What a flag takes the place of, beside the setting of its own name."""

Tree = dict[str, Any]


class Source(Enum):
    """Who set a value."""

    FLAG = "flag"
    CONFIG = "config"
    BLUEPRINT = "blueprint"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Value:
    """One setting: its path in the file, what it is, and where it came from. Secrets are not shown."""

    path: str
    value: Any
    source: Source


@dataclass(frozen=True, slots=True)
class Resolved:
    """A whole configuration and the origin of each value."""

    config: Config
    values: tuple[Value, ...]

    def source(self, path: str) -> Source:
        """Who set the value at `path`. Raises KeyError."""
        for value in self.values:
            if value.path == path:
                return value.source
        raise KeyError(path)


def load(path: Path | str) -> Config:
    """Read a configuration file, TOML or JSON. Raises ConfigError."""
    return resolve(config_file=Path(path)).config


def resolve(
    config_file: Path | None = None,
    *,
    blueprint: str | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Resolved:
    """Lay all sources over each other and check the whole.

    `flags` by path in the file (`"csms.url"`); None counts as not given. Raises ConfigError.
    """
    given = {path: _word(value) for path, value in (flags or {}).items() if value is not None}
    tree = read_tree(config_file) if config_file else {}
    if config_file:
        _anchor(tree, config_file.parent)
    name = blueprint or tree.get("blueprint")
    layers = _Layers(tree, {}, given, str(config_file or "-"), "-")
    if not isinstance(name, str | None):
        layers.check_settings()  # says what is wrong with it
    if name is not None or not tree.keys() >= WHOLE:
        path = find_blueprint(name or DEFAULT_BLUEPRINT)
        layers.hardware, layers.hardware_file = read_tree(path), str(path)
        if name is not None:
            tree["blueprint"] = name
            if blueprint:
                layers.flags["blueprint"] = blueprint
    config = layers.build()
    found = tuple(presets.problems(config, str(config_file or "-")))
    if found:
        raise ConfigError(found)
    secret_of(config)
    try:
        config.tls_files()
    except TlsFilesBad as error:
        raise ConfigError([error.text]) from error
    return Resolved(config, tuple(layers.values(config)))


def read_tree(path: Path) -> Tree:
    """The tables of a TOML or JSON file. Raises ConfigError with the place of a slip of the pen."""
    file = str(path)
    try:
        text = path.read_text("utf-8-sig")  # editors of Windows put a mark at the beginning
    except UnicodeDecodeError as error:
        raise ConfigError([Text("runtime.config.not_utf8", {"file": file})]) from error
    except OSError as error:
        params = {"file": file, "why": error.strerror or str(error)}
        raise ConfigError([Text("runtime.config.unreadable", params)]) from error
    kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
    try:
        tree = _spelled(json.loads(text) if kind == "JSON" else tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        params = {"file": file, "kind": kind, "why": str(error)}
        raise ConfigError([Text("runtime.config.syntax", params)]) from error
    if not isinstance(tree, dict):
        raise ConfigError([Text("runtime.config.no_table", {"file": file})])
    return tree


def find_blueprint(name: str) -> Path:
    """A file, or one of those that come with the program by its name. Raises ConfigError."""
    own = resource("blueprints", f"{name}.toml")
    path = Path(name)
    if is_file(path) or not is_file(own):
        if not is_file(path):
            known = sorted(file.stem for file in resource("blueprints").glob("*.toml"))
            params = {"name": name, "known": ", ".join(known)}
            raise ConfigError([Text("runtime.config.no_blueprint", params)])
        return path
    return own


def secret_of(config: Config) -> bytes | None:
    """The password of the configuration, from itself or from its file. Raises ConfigError."""
    part = config.security
    if part.password is not None:
        return part.password.encode()
    return None if part.password_file is None else password_in(part.password_file)


def password_in(file: Path) -> bytes:
    """The first line of a password file. Raises ConfigError."""
    try:
        lines = file.read_bytes().removeprefix(BOM_UTF8).splitlines()
    except OSError as error:
        params = {"file": str(file), "why": error.strerror or str(error)}
        raise ConfigError([Text("runtime.config.password_file", params)]) from error
    if not lines or not lines[0]:
        raise ConfigError([Text("runtime.config.password_empty", {"file": str(file)})])
    return lines[0]


def config_schema() -> Tree:
    """The published JSON schema of a configuration file."""
    from app.kernel.form_schema import schema_of

    settings, hardware = schema_of(Settings), schema_of(Blueprint)
    shared = settings["$defs"].keys() & hardware.get("$defs", {}).keys()
    if shared:
        raise ValueError(f"two definitions of one name: {sorted(shared)}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Forecourt station",
        "description": "Settings of a simulated charging station; hardware keys as in a blueprint.",
        "type": "object",
        "properties": {**settings["properties"], **hardware["properties"]},
        "additionalProperties": False,
        "$defs": {**settings["$defs"], **hardware.get("$defs", {})},
    }


class _Layers:
    """The raw sources on their way to one checked configuration."""

    def __init__(
        self, tree: Tree, hardware: Tree, flags: dict[str, Any], file: str, hardware_file: str
    ) -> None:
        self.tree, self.hardware, self.flags = tree, hardware, flags
        self.file, self.hardware_file = file, hardware_file
        self.ousted = {_OUSTED[path]: None for path in flags if path in _OUSTED}

    def build(self) -> Config:
        settings, problems = self._try_settings()
        hardware, more = self._try_hardware()
        if problems or more or settings is None or hardware is None:
            raise ConfigError(problems + more)
        return Config(**values(settings), hardware=hardware)

    def check_settings(self) -> None:
        _, problems = self._try_settings()
        if problems:
            raise ConfigError(problems)

    def _try_settings(self) -> tuple[Settings | None, list[Text]]:
        tree = {key: value for key, value in self.tree.items() if key not in HARDWARE}
        for path, value in {**self.ousted, **self.flags}.items():
            _set(tree, path, value)
        try:
            return fill(Settings, tree), []
        except Unfilled as error:
            known = {*names(Settings), *HARDWARE}
            return None, [
                problem(slip, self._file_of(slip.place), known if len(slip.path) == 1 else ())
                for slip in error.slips
            ]

    def _try_hardware(self) -> tuple[Blueprint | None, list[Text]]:
        own = {key: value for key, value in self.tree.items() if key in HARDWARE}
        files = [self.hardware_file] if self.hardware else []
        where = " + ".join([*files, self.file] if own else files)
        try:
            return Blueprint.check({**self.hardware, **own}, where), []
        except BlueprintError as error:
            return None, [error.text]

    def _file_of(self, path: str) -> str:
        alone = not self.tree  # without a file it can only be the flags
        return "command line" if path in self.flags or alone else self.file

    def values(self, config: Config) -> Iterator[Value]:
        """Each setting with its origin, in the order of the model."""
        for path, value in _leaves(config, without=("hardware",)):
            shown = "…" if path in SECRETS and value is not None else value
            yield Value(path, shown, self._source(path, self.tree))
        for path, value in _leaves(config.hardware):
            source = self._source(path, self.tree)
            if source is Source.DEFAULT and _has(self.hardware, path):
                source = Source.BLUEPRINT
            yield Value(path, value, source)

    def _source(self, path: str, tree: Tree) -> Source:
        if path in self.flags or path in self.ousted:
            return Source.FLAG
        return Source.CONFIG if _has(tree, path) else Source.DEFAULT


def _leaves(
    part: Any, prefix: str = "", without: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any]]:
    for name, value in values(part).items():
        if name in without:
            continue
        if is_dataclass(value):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", as_data(value)


def _has(tree: Tree, path: str) -> bool:
    here: Any = tree
    for part in path.split("."):
        if not isinstance(here, dict) or part not in here:
            return False
        here = here[part]
    return True


def _set(tree: Tree, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    here = tree
    for part in parents:
        inner = here.get(part)
        here[part] = dict(inner) if isinstance(inner, dict) else {}
        here = here[part]
    here[last] = value


def _anchor(tree: Tree, folder: Path) -> None:
    """Paths in a file are meant from the file's own folder."""
    security = tree.get("security")
    if isinstance(security, dict):
        for key in _PATHS:
            if isinstance(security.get(key), str):
                security[key] = str(folder / security[key])
    name = tree.get("blueprint")
    if isinstance(name, str) and is_file(folder / name):
        tree["blueprint"] = str(folder / name)


def _spelled(value: Any) -> Any:
    """A tree as JSON has it, where TOML has dates and times.

    Raises ValueError for half a character (JSON can name one): it could be written down nowhere.
    """
    if isinstance(value, dict):
        return {_spelled(name): _spelled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if isinstance(value, str):
        value.encode()
    return _word(value)


def _word(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
