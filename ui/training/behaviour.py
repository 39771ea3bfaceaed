"""How the training CSMS is to behave: what it tells a booting station, and what it does wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from app.training.composer import actions
from app.training.package import known_actions
from app.training.rules import Effect, Rule
from app.training.server import TrainingCsms
from app.training.settings import V16, V201, BootAnswer, BootStatus

CODES = (
    "InternalError",
    "NotImplemented",
    "NotSupported",
    "ProtocolError",
    "SecurityError",
    "GenericError",
    "FormationViolation",
    "FormatViolation",
    "PropertyConstraintViolation",
    "OccurenceConstraintViolation",
    "OccurrenceConstraintViolation",
    "TypeConstraintViolation",
    "RpcFrameworkError",
)
DATA_TRANSFER = "DataTransfer"


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """A CALLERROR instead of the answer to an action."""

    action: str
    code: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a person set. `delay_s` seconds before each answer; `mute`: no answer at all.

    `any_certificate`: under security profile 3 a station may show that of another one.
    """

    boot: BootAnswer = field(default_factory=BootAnswer)
    delay_s: float = 0.0
    mute: bool = False
    errors: tuple[ErrorRule, ...] = ()
    any_certificate: bool = False

    @property
    def is_normal(self) -> bool:
        accepted = self.boot.status is BootStatus.ACCEPTED
        odd = self.delay_s or self.mute or self.errors or self.any_certificate
        return accepted and not odd

    def with_error(self, rule: ErrorRule) -> Behaviour:
        """One rule an action: a newer one replaces it."""
        others = tuple(one for one in self.errors if one.action != rule.action)
        return replace(self, errors=(*others, rule))

    def without_error(self, action: str) -> Behaviour:
        return replace(self, errors=tuple(one for one in self.errors if one.action != action))

    def rules(self) -> list[Rule]:
        """As rules of the CSMS, in the order in which they are asked."""
        if self.mute:
            return [Rule(effect=Effect.MUTE, count=None)]
        made = [
            Rule(
                action=one.action,
                effect=Effect.ERROR,
                count=None,
                delay_s=self.delay_s,
                code=one.code,
            )
            for one in self.errors
        ]
        if self.delay_s:
            made.append(Rule(count=None, delay_s=self.delay_s))
        return made


class Conductor:
    """Puts a behaviour in force in the thread of the CSMS, and takes back only what it put there."""

    def __init__(self) -> None:
        self._removers: list[Callable[[], None]] = []

    def apply(self, csms: TrainingCsms, behaviour: Behaviour) -> None:
        for remove in self._removers:
            remove()
        self._removers = [csms.rules.add(rule) for rule in behaviour.rules()]
        csms.settings.boot = behaviour.boot
        csms.settings.any_certificate = behaviour.any_certificate


def station_actions() -> list[str]:
    """What a station may ask, in either version, by name."""
    found = {DATA_TRANSFER}
    for version in (V16, V201):
        found |= set(known_actions(version)) - set(actions(version))
    return sorted(found)
