"""The model of a configuration file: what a station is, where it connects, and what it starts from.

Its hardware part has the keys of a blueprint, so that a blueprint is a configuration with only the
hardware part. Descriptions end up in the published JSON schema.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from app.kernel.forms import Limits, RuleBroken, Spelling, about, form, values
from app.kernel.text import Text
from app.ocpp.context import Identity, KeySetting, OcppSettings, VariableSetting
from app.ocpp.shared.vendors import Occasion, Vendor, VendorAnswer, VendorReport
from app.ocpp.version import Version
from app.runtime.tls import TlsFiles, own_pairs
from app.station.blueprint import Blueprint

Word = Annotated[str, Limits(min_length=1)]
Subprotocol = Annotated[str, Limits(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
StationId = Annotated[str, Limits(min_length=1, max_length=255)]


def spelled(value: Any) -> str | None:
    """A value as OCPP writes it: `true`, `12`, `0.5`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(f"{type(value).__name__} has no spelling in OCPP")


_SCALAR = Spelling(spelled, "scalar", ("string", "number", "boolean", "null"))
Scalar = Annotated[str | None, _SCALAR]

CONNECTION_TIMEOUT_KEY = "ConnectionTimeOut"
CONNECTION_TIMEOUT_VARIABLE = ("TxCtrlr", "EVConnectionTimeOut")


@form
class IdentityPart:
    """Who the station says it is in its BootNotification; what the blueprint knows too is its default."""

    vendor: Annotated[Word, Limits(max_length=50)] | None = None
    model: Annotated[Word, Limits(max_length=50)] | None = None
    serial_number: Annotated[Word, Limits(max_length=25)] | None = None
    box_serial_number: Annotated[Word, Limits(max_length=25)] | None = about(
        "1.6 only: chargeBoxSerialNumber.", default=None
    )
    firmware_version: Annotated[Word, Limits(max_length=50)] | None = None
    iccid: Annotated[Word, Limits(max_length=20)] | None = None
    imsi: Annotated[Word, Limits(max_length=20)] | None = None
    meter_type: Annotated[Word, Limits(max_length=25)] | None = None
    meter_serial_number: Annotated[Word, Limits(max_length=25)] | None = None


@form
class CsmsPart:
    """The back office: its URL without the station's id, the id, and the version to speak."""

    url: Word | None = about("ws:// or wss://, without the station's id.", default=None)
    id: StationId | None = about("The station's id; made up once if it is left out.", default=None)
    version: Literal["1.6", "2.0.1", "auto"] = "auto"
    secure_url: Annotated[str, Limits(pattern=r"^wss://.+")] | None = about(
        "Where to go when the back office raises the security profile to 2 or 3;"
        " the same place over wss if left out.",
        default=None,
    )
    subprotocols: tuple[Subprotocol, ...] = about(
        "Offered in this order as far as the version allows, unknown ones too; those of both"
        " versions if left out.",
        default=(),
    )
    proxy: Word | None = about(
        'http://host:port; "none" for no proxy; the system\'s if left out.', default=None
    )
    connect_timeout: Annotated[float, Limits(gt=0, le=300)] = about(
        "Seconds an attempt to connect may take.", default=15.0
    )
    max_message_size: Annotated[int, Limits(ge=4096, le=256 * 1024 * 1024)] = about(
        "Bytes a message may have.", default=8 * 1024 * 1024
    )
    compression: bool = about(
        "Offer to compress messages (permessage-deflate, RFC 7692).", default=False
    )


@form
class SecurityPart:
    """How the link is protected. Profiles: 0 open, 1 password, 2 TLS and password, 3 TLS and certificate."""

    profile: Annotated[int, Limits(ge=0, le=3)] = 0
    password: Word | None = field(default=None, repr=False)
    password_file: Path | None = about("A file whose first line is the password.", default=None)
    ca: Path | None = about("A PEM file, or a folder of them, to trust.", default=None)
    certificate: Path | None = about("The station's own certificate (chain), PEM.", default=None)
    key: Path | None = about("Its private key, PEM.", default=None)
    ca_folder: Path | None = about(
        "Root certificates (PEM files) that are trusted from the start.", default=None
    )
    certificate_folder: Path | None = about(
        "The station's certificates, <name>.pem with <name>.key; the first is shown, the"
        " next one where the back office does not accept it.",
        default=None,
    )
    crl: Path | None = about(
        "Revoked certificates of back offices: a PEM file with their lists.", default=None
    )

    def __post_init__(self) -> None:
        if self.password is not None and self.password_file is not None:
            raise RuleBroken(Text("runtime.config.rule_two_passwords"))
        if self.key is not None and self.certificate is None:
            raise RuleBroken(Text("runtime.config.rule_key_alone"))


@form
class KeyPart:
    """A 1.6 configuration key: its first value and whether the back office may change it."""

    shorthand: ClassVar[str] = "value"

    value: Scalar = None
    readonly: bool | None = None
    reboot: bool = False
    """A change takes effect with the next boot only."""


@form
class VariablePart:
    """A 2.0.1 variable: its first value and who may change it. One that is not known is added."""

    component: Annotated[Word, Limits(max_length=50)]
    variable: Annotated[Word, Limits(max_length=50)]
    value: Scalar = None
    evse: Annotated[int, Limits(ge=0)] | None = None
    connector: Annotated[int, Limits(ge=0)] | None = None
    component_instance: Annotated[Word, Limits(max_length=50)] | None = None
    variable_instance: Annotated[Word, Limits(max_length=50)] | None = None
    attribute: Literal["Actual", "Target", "MinSet", "MaxSet"] = "Actual"
    mutability: Literal["ReadOnly", "WriteOnly", "ReadWrite"] | None = None

    def __post_init__(self) -> None:
        if self.connector is not None and self.evse is None:
            raise RuleBroken(Text("runtime.config.rule_connector_alone"))


@form
class VehiclePart:
    """The car that drives in, where no other is asked for; what is left out stays as the car has it."""

    id: Word | None = about("A car of the vehicle library.", default=None)
    soc: Annotated[float, Limits(ge=0, le=100)] | None = about("Percent.", default=None)
    target_soc: Annotated[float, Limits(ge=0, le=100)] | None = about("Percent.", default=None)
    capacity: Annotated[float, Limits(ge=100, le=2_000_000)] | None = about("Wh.", default=None)
    max_ac_current: Annotated[float, Limits(ge=0, le=80)] | None = about("A a phase.", default=None)
    ac_phases: Annotated[int, Limits(ge=1, le=3)] | None = None
    max_dc_power: Annotated[float, Limits(ge=0, le=2_000_000)] | None = about("W.", default=None)
    ready_delay: Annotated[float, Limits(ge=0, le=86_400)] | None = about(
        "Seconds from the plug to the car being ready.", default=None
    )


@form
class ClockPart:
    """Station time at the start, and how long the controller takes to boot."""

    start: datetime | None = None
    rate: Annotated[float, Limits(gt=0, le=3600)] = 1.0
    boot_seconds: Annotated[float, Limits(ge=0, le=3600)] = 0.0


@form
class QueuePart:
    """The queue of what must not be lost while there is no link."""

    capacity: Annotated[int, Limits(ge=1)] = about(
        "Messages it holds; what goes then is the open point both-offline-queue-capacity.",
        default=10_000,
    )
    pause: Annotated[float, Limits(ge=0, le=60)] = about(
        "Seconds between two messages while a backlog is delivered.", default=0.0
    )


@form
class VendorAnswerPart:
    """What is answered to a vendor's message; without message_id to any that has no answer of its own."""

    message_id: Annotated[Word, Limits(max_length=50)] | None = None
    status: Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"] = "Accepted"
    data: Any = about("Text or any JSON; {data} stands for what came.", default=None)
    show: str | None = about('What the screen says then; "" takes it back.', default=None)


@form
class VendorReportPart:
    """What the station tells a back office by itself."""

    on: Occasion
    message_id: Annotated[Word, Limits(max_length=50)] | None = None
    data: Any = about(
        "Text or any JSON with the gaps {evse}, {connector}, {id_token},"
        " {transaction_id}, {energy}, {reason}.",
        default=None,
    )


@form
class VendorPart:
    """A dialect of DataTransfer."""

    vendor_id: Annotated[Word, Limits(max_length=255)]
    answers: tuple[VendorAnswerPart, ...] = ()
    reports: tuple[VendorReportPart, ...] = ()

    def vendor(self) -> Vendor:
        return Vendor(
            self.vendor_id,
            tuple(VendorAnswer(**values(part)) for part in self.answers),
            tuple(VendorReport(part.on, part.message_id, part.data) for part in self.reports),
        )


@form
class Settings:
    """A configuration without the hardware part."""

    blueprint: Word | None = about(
        "The hardware: a file, or the name of one that comes with the program.", default=None
    )
    identity: IdentityPart = field(default_factory=IdentityPart)
    csms: CsmsPart = field(default_factory=CsmsPart)
    security: SecurityPart = field(default_factory=SecurityPart)
    mode: Literal["pragmatic", "strict"] = about(
        "What to do where the specification leaves a point open.", default="pragmatic"
    )
    open_points: dict[str, Word] = about(
        "What was chosen for open points, by id.", default_factory=dict
    )
    features: tuple[Word, ...] | None = about(
        "Feature profiles (1.6) or blocks (2.0.1) that are on; all if left out.", default=None
    )
    keys: dict[Annotated[Word, Limits(max_length=50)], KeyPart] = about(
        "1.6 configuration keys by name: a value, or a table.", default_factory=dict
    )
    variables: tuple[VariablePart, ...] = about("2.0.1 variables; custom ones too.", default=())
    vendors: tuple[VendorPart, ...] = about(
        "Messages of vendors' own (DataTransfer), both ways.", default=()
    )
    connection_timeout: Annotated[int, Limits(ge=0)] | None = about(
        "Seconds between card and plug (both versions).", default=None
    )
    free_vend_token: Annotated[Word, Limits(max_length=20)] = "FREE"
    vehicle: VehiclePart = field(default_factory=VehiclePart)
    clock: ClockPart = field(default_factory=ClockPart)
    queue: QueuePart = field(default_factory=QueuePart)
    seed: int = about("Of the meters' noise and of the waits between attempts.", default=0)
    full_sync: bool = about(
        "Wait for the disk at each commit: survives a power cut of the computer.", default=False
    )


@form
class Config(Settings):
    """A whole configuration: settings and hardware, checked and complete."""

    hardware: Blueprint

    @property
    def version(self) -> Version | None:
        """The version to speak; None: whichever the back office picks."""
        return None if self.csms.version == "auto" else Version(self.csms.version)

    @property
    def strict(self) -> bool:
        return self.mode == "strict"

    def tls_files(self) -> TlsFiles:
        """Whom the link trusts and what it shows. Raises TlsFilesBad for a folder without certificates."""
        part = self.security
        certificate, key = part.certificate, part.key
        if certificate is None and part.certificate_folder is not None:
            certificate, key = own_pairs(part.certificate_folder)[0]
        return TlsFiles(part.ca, certificate, key, part.ca_folder, crl=part.crl)

    def spare_pairs(self) -> tuple[tuple[Path, Path | None], ...]:
        """The certificates of the folder that are not shown first. Raises TlsFilesBad as `tls_files`."""
        part = self.security
        if part.certificate_folder is None:
            return ()
        return tuple(own_pairs(part.certificate_folder)[part.certificate is None :])

    def ocpp(self) -> OcppSettings:
        """What a personality starts from."""
        return OcppSettings(
            identity=self._identity(),
            keys=self._keys(),
            variables=self._variables(),
            features=None if self.features is None else frozenset(self.features),
            vendors=tuple(part.vendor() for part in self.vendors),
            free_vend=self.hardware.free_vend,
            free_vend_token=self.free_vend_token,
            security_profile=self.security.profile,
            queue_capacity=self.queue.capacity,
            queue_pause=self.queue.pause,
        )

    def _identity(self) -> Identity:
        given, built = values(self.identity), self.hardware
        known = {
            "vendor": built.vendor,
            "model": built.model,
            "serial_number": built.serial or None,
            "firmware_version": built.firmware,
        }
        merged: dict[str, Any] = {name: value or known.get(name) for name, value in given.items()}
        return Identity(**merged)

    def _keys(self) -> tuple[KeySetting, ...]:
        found = {}
        if self.connection_timeout is not None:
            found[CONNECTION_TIMEOUT_KEY] = KeySetting(
                CONNECTION_TIMEOUT_KEY, str(self.connection_timeout)
            )
        for name, part in self.keys.items():
            found[name] = KeySetting(name, part.value, part.readonly, part.reboot)
        return tuple(found.values())

    def _variables(self) -> tuple[VariableSetting, ...]:
        found = []
        if self.connection_timeout is not None:
            component, variable = CONNECTION_TIMEOUT_VARIABLE
            value = str(self.connection_timeout)
            found.append(VariableSetting(component, variable, value))
        found += [VariableSetting(**values(part)) for part in self.variables]
        return tuple(found)
