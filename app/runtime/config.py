"""The model of a configuration file: what a station is, where it connects, and what it starts from.

Its hardware part has the keys of a blueprint, so that a blueprint is a configuration with only the
hardware part. Descriptions end up in the published JSON schema.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.ocpp.context import Identity, KeySetting, OcppSettings, VariableSetting
from app.ocpp.shared.vendors import Occasion, Vendor, VendorAnswer, VendorReport
from app.ocpp.version import Version
from app.runtime.tls import TlsFiles, own_pairs
from app.station.blueprint import Blueprint

Word = Annotated[str, StringConstraints(min_length=1)]
Subprotocol = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
StationId = Annotated[str, StringConstraints(min_length=1, max_length=255)]


def spelled(value: Any) -> str | None:
    """A value as OCPP writes it: `true`, `12`, `0.5`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise PydanticCustomError("scalar", "text, a number, true or false")


_SCALAR = {"type": ["string", "number", "boolean", "null"]}
Scalar = Annotated[str | None, BeforeValidator(spelled), WithJsonSchema(_SCALAR)]

CONNECTION_TIMEOUT_KEY = "ConnectionTimeOut"
CONNECTION_TIMEOUT_VARIABLE = ("TxCtrlr", "EVConnectionTimeOut")


class Part(BaseModel):
    """A table of the file: no unknown keys, no silent conversions, fixed once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class IdentityPart(Part):
    """Who the station says it is in its BootNotification; what the blueprint knows too is its default."""

    vendor: Annotated[Word, Field(max_length=50)] | None = None
    model: Annotated[Word, Field(max_length=50)] | None = None
    serial_number: Annotated[Word, Field(max_length=25)] | None = None
    box_serial_number: Annotated[Word, Field(max_length=25)] | None = Field(
        None, description="1.6 only: chargeBoxSerialNumber."
    )
    firmware_version: Annotated[Word, Field(max_length=50)] | None = None
    iccid: Annotated[Word, Field(max_length=20)] | None = None
    imsi: Annotated[Word, Field(max_length=20)] | None = None
    meter_type: Annotated[Word, Field(max_length=25)] | None = None
    meter_serial_number: Annotated[Word, Field(max_length=25)] | None = None


class CsmsPart(Part):
    """The back office: its URL without the station's id, the id, and the version to speak."""

    url: Word | None = Field(None, description="ws:// or wss://, without the station's id.")
    id: StationId | None = Field(
        None, description="The station's id; made up once if it is left out."
    )
    version: Literal["1.6", "2.0.1", "auto"] = "auto"
    secure_url: Annotated[str, StringConstraints(pattern=r"^wss://.+")] | None = Field(
        None,
        description="Where to go when the back office raises the security profile to 2 or 3;"
        " the same place over wss if left out.",
    )
    subprotocols: list[Subprotocol] = Field(
        default_factory=list,
        description="Offered in this order as far as the version allows, unknown ones too; those of both"
        " versions if left out.",
    )
    proxy: Word | None = Field(
        None, description='http://host:port; "none" for no proxy; the system\'s if left out.'
    )
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = Field(
        15.0, description="Seconds an attempt to connect may take."
    )
    max_message_size: Annotated[int, Field(ge=4096, le=256 * 1024 * 1024)] = Field(
        8 * 1024 * 1024, description="Bytes a message may have."
    )
    compression: bool = Field(
        False, description="Offer to compress messages (permessage-deflate, RFC 7692)."
    )


class SecurityPart(Part):
    """How the link is protected. Profiles: 0 open, 1 password, 2 TLS and password, 3 TLS and certificate."""

    profile: Annotated[int, Field(ge=0, le=3)] = 0
    password: Word | None = Field(None, repr=False)
    password_file: Path | None = Field(None, description="A file whose first line is the password.")
    ca: Path | None = Field(None, description="A PEM file, or a folder of them, to trust.")
    certificate: Path | None = Field(
        None, description="The station's own certificate (chain), PEM."
    )
    key: Path | None = Field(None, description="Its private key, PEM.")
    ca_folder: Path | None = Field(
        None, description="Root certificates (PEM files) that are trusted from the start."
    )
    certificate_folder: Path | None = Field(
        None,
        description="The station's certificates, <name>.pem with <name>.key; the first is shown, the"
        " next one where the back office does not accept it.",
    )
    crl: Path | None = Field(
        None, description="Revoked certificates of back offices: a PEM file with their lists."
    )

    @model_validator(mode="after")
    def _fits(self) -> SecurityPart:
        if self.password is not None and self.password_file is not None:
            raise PydanticCustomError("two_passwords", "password and password_file")
        if self.key is not None and self.certificate is None:
            raise PydanticCustomError("key_alone", "key without certificate")
        return self


class KeyPart(Part):
    """A 1.6 configuration key: its first value and whether the back office may change it."""

    model_config = ConfigDict(
        json_schema_extra=lambda schema: schema.update(type=["object", *_SCALAR["type"]])
    )

    value: Scalar = None
    readonly: bool | None = None
    reboot: bool = False
    """A change takes effect with the next boot only."""

    @model_validator(mode="before")
    @classmethod
    def _of_scalar(cls, given: Any) -> Any:
        return given if isinstance(given, dict) else {"value": given}


class VariablePart(Part):
    """A 2.0.1 variable: its first value and who may change it. One that is not known is added."""

    component: Annotated[Word, Field(max_length=50)]
    variable: Annotated[Word, Field(max_length=50)]
    value: Scalar = None
    evse: Annotated[int, Field(ge=0)] | None = None
    connector: Annotated[int, Field(ge=0)] | None = None
    component_instance: Annotated[Word, Field(max_length=50)] | None = None
    variable_instance: Annotated[Word, Field(max_length=50)] | None = None
    attribute: Literal["Actual", "Target", "MinSet", "MaxSet"] = "Actual"
    mutability: Literal["ReadOnly", "WriteOnly", "ReadWrite"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> VariablePart:
        if self.connector is not None and self.evse is None:
            raise PydanticCustomError("connector_alone", "connector without evse")
        return self


class VehiclePart(Part):
    """The car that drives in, where no other is asked for; what is left out stays as the car has it."""

    id: Word | None = Field(None, description="A car of the vehicle library.")
    soc: Annotated[float, Field(ge=0, le=100)] | None = Field(None, description="Percent.")
    target_soc: Annotated[float, Field(ge=0, le=100)] | None = Field(None, description="Percent.")
    capacity: Annotated[float, Field(ge=100, le=2_000_000)] | None = Field(None, description="Wh.")
    max_ac_current: Annotated[float, Field(ge=0, le=80)] | None = Field(
        None, description="A a phase."
    )
    ac_phases: Annotated[int, Field(ge=1, le=3)] | None = None
    max_dc_power: Annotated[float, Field(ge=0, le=2_000_000)] | None = Field(None, description="W.")
    ready_delay: Annotated[float, Field(ge=0, le=86_400)] | None = Field(
        None, description="Seconds from the plug to the car being ready."
    )


class ClockPart(Part):
    """Station time at the start, and how long the controller takes to boot."""

    start: datetime | None = None
    rate: Annotated[float, Field(gt=0, le=3600)] = 1.0
    boot_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0


class QueuePart(Part):
    """The queue of what must not be lost while there is no link."""

    capacity: Annotated[int, Field(ge=1)] = Field(
        10_000,
        description="Messages it holds; what goes then is the open point both-offline-queue-capacity.",
    )
    pause: Annotated[float, Field(ge=0, le=60)] = Field(
        0.0, description="Seconds between two messages while a backlog is delivered."
    )


class VendorAnswerPart(Part):
    """What is answered to a vendor's message; without message_id to any that has no answer of its own."""

    message_id: Annotated[Word, Field(max_length=50)] | None = None
    status: Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"] = "Accepted"
    data: Any = Field(None, description="Text or any JSON; {data} stands for what came.")
    show: str | None = Field(None, description='What the screen says then; "" takes it back.')


class VendorReportPart(Part):
    """What the station tells a back office by itself."""

    on: Occasion
    message_id: Annotated[Word, Field(max_length=50)] | None = None
    data: Any = Field(
        None,
        description="Text or any JSON with the gaps {evse}, {connector}, {id_token},"
        " {transaction_id}, {energy}, {reason}.",
    )


class VendorPart(Part):
    """A dialect of DataTransfer."""

    vendor_id: Annotated[Word, Field(max_length=255)]
    answers: list[VendorAnswerPart] = Field(default_factory=list)
    reports: list[VendorReportPart] = Field(default_factory=list)

    def vendor(self) -> Vendor:
        return Vendor(
            self.vendor_id,
            tuple(VendorAnswer(**part.model_dump()) for part in self.answers),
            tuple(VendorReport(part.on, part.message_id, part.data) for part in self.reports),
        )


class Settings(Part):
    """A configuration without the hardware part."""

    blueprint: Word | None = Field(
        None, description="The hardware: a file, or the name of one that comes with the program."
    )
    identity: IdentityPart = Field(default_factory=IdentityPart)
    csms: CsmsPart = Field(default_factory=CsmsPart)
    security: SecurityPart = Field(default_factory=SecurityPart)
    mode: Literal["pragmatic", "strict"] = Field(
        "pragmatic", description="What to do where the specification leaves a point open."
    )
    open_points: dict[str, Word] = Field(
        default_factory=dict, description="What was chosen for open points, by id."
    )
    features: list[Word] | None = Field(
        None, description="Feature profiles (1.6) or blocks (2.0.1) that are on; all if left out."
    )
    keys: dict[Annotated[Word, Field(max_length=50)], KeyPart] = Field(
        default_factory=dict, description="1.6 configuration keys by name: a value, or a table."
    )
    variables: list[VariablePart] = Field(
        default_factory=list, description="2.0.1 variables; custom ones too."
    )
    vendors: list[VendorPart] = Field(
        default_factory=list, description="Messages of vendors' own (DataTransfer), both ways."
    )
    connection_timeout: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Seconds between card and plug (both versions)."
    )
    free_vend_token: Annotated[Word, Field(max_length=20)] = "FREE"
    vehicle: VehiclePart = Field(default_factory=VehiclePart)
    clock: ClockPart = Field(default_factory=ClockPart)
    queue: QueuePart = Field(default_factory=QueuePart)
    seed: int = Field(0, description="Of the meters' noise and of the waits between attempts.")
    full_sync: bool = Field(
        False, description="Wait for the disk at each commit: survives a power cut of the computer."
    )


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
        given, built = self.identity.model_dump(), self.hardware
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
        found += [VariableSetting(**part.model_dump()) for part in self.variables]
        return tuple(found)
