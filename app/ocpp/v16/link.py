"""The keys that change the link itself: AuthorizationKey and SecurityProfile (whitepaper A01 and A05).

A change counts at once: the station closes the link after its answer and comes back with the new one. What
was in force before is kept as a row until the new one has worked, and comes back where it did not.
"""

from __future__ import annotations

from app.ocpp.context import Context
from app.ocpp.link_rows import TABLE
from app.ocpp.personality import Block, LinkPlan, LinkTrial, Way
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.link_needs import has_certificate, has_root
from app.ocpp.v16.configuration import BACK_OFFICE, Configuration
from app.ocpp.v16.turned_down import reason
from app.ocpp.v16.values import HEX_KEY, BadValue

PASSWORD = "AuthorizationKey"
PROFILE = "SecurityProfile"
STATION = "station"
"""Who changes a key back."""

ATTEMPTS = 3
"""Failed attempts with a new security profile after which the one before it is tried (A05.FR.08)."""

PASSWORD_SIZE = range(16, 21)
"""Bytes of a password (A00.FR.205)."""


class Link(Block):
    """What the back office has set for the link, and whether it has worked."""

    def __init__(self, ctx: Context, config: Configuration) -> None:
        super().__init__(ctx)
        self._config = config
        self._book = CertificateBook(ctx.store, ctx.clock.now)
        self._encoding = ctx.points.ahead("ocpp16-authorization-key-encoding")
        config.judges[PROFILE.casefold()] = self._judge
        config.before_change[PROFILE.casefold()] = self._profile_goes
        config.before_change[PASSWORD.casefold()] = self._password_goes
        config.after_change[PROFILE.casefold()] = self._reconnect
        config.after_change[PASSWORD.casefold()] = self._reconnect

    # ------------------------------------------------------------------ what runtime asks

    async def before_link(self) -> None:
        """The password goes out with the handshake."""
        if HEX_KEY.fullmatch(self._config.value(PASSWORD) or ""):
            await self._encoding.ask()

    def plan(self) -> LinkPlan:
        """Both profiles and both passwords while the newer one has to prove itself."""
        ways = [Way(security_profile=self._config.number(PROFILE))]
        before = self._row("profile")
        if before is not None:
            ways.append(Way(security_profile=int(before)))
        return LinkPlan(tuple(ways), ways[-1], ATTEMPTS, self._passwords())

    def password(self) -> str | bytes | None:
        """What goes into HTTP Basic; None: no key is set."""
        return self._spelled(self._config.value(PASSWORD))[0]

    def tried(self, trial: LinkTrial) -> None:
        """An attempt has ended: one that worked settles what is in force."""
        if trial.setback is not None:
            return
        with self.ctx.store.step():
            if not self._config.waits(PROFILE):
                self._settle_profile(trial.way)
            if not self._config.waits(PASSWORD):
                self._settle_password(trial.password)

    def _passwords(self) -> tuple[bytes | None, ...]:
        keys = [self._config.value(PASSWORD)]
        row = self.ctx.store.get(TABLE, PASSWORD)
        if row is not None:
            keys.append(row["before"])
        return tuple(_bytes(password) for password in self._spelled(*keys))

    def _spelled(self, *keys: str | None) -> list[str | bytes | None]:
        """Open point: the bytes that a key stands for, or its text."""
        if not any(key and HEX_KEY.fullmatch(key) for key in keys):
            return [key or None for key in keys]
        as_text = self._encoding.choose() == "text-as-is"
        return [
            bytes.fromhex(key) if key and HEX_KEY.fullmatch(key) and not as_text else key or None
            for key in keys
        ]

    # ------------------------------------------------------------------ a change

    def _judge(self, value: str, by: str) -> None:
        """A05.FR.01 to .04; a person may also go down."""
        new, present = int(value), self._config.number(PROFILE)
        if by == BACK_OFFICE and new <= present:
            raise BadValue(reason("downward", present=present))
        if new in (1, 2) and not self._has_password():
            raise BadValue(reason("no_password"))
        if new >= 2 and not has_root(self.ctx, self._book):
            raise BadValue(reason("no_csms_root"))
        if new == 3 and not has_certificate(self.ctx, self._book):
            raise BadValue(reason("no_own_certificate"))

    def _has_password(self) -> bool:
        if self._config.value(PASSWORD):
            return True
        given = self.ctx.settings.link.password
        return given is not None and len(given) in PASSWORD_SIZE

    def _profile_goes(self, _: str | None) -> None:
        if self._row("profile") is None:
            self.ctx.store.put(TABLE, "profile", {"before": self._config.number(PROFILE)})

    def _password_goes(self, before: str | None) -> None:
        if self.ctx.store.get(TABLE, PASSWORD) is None:
            self.ctx.store.put(TABLE, PASSWORD, {"before": before})

    def _reconnect(self) -> None:
        self.ctx.calls.close_link("its security settings were changed")

    # ------------------------------------------------------------------ how it went

    def _settle_profile(self, way: Way) -> None:
        before = self._row("profile")
        if before is None:
            return
        self.ctx.store.delete(TABLE, "profile")
        if way.security_profile != self._config.number(PROFILE):
            self._config.put(PROFILE, str(before), STATION)  # A05.FR.08

    def _settle_password(self, place: int) -> None:
        row = self.ctx.store.get(TABLE, PASSWORD)
        if row is None:
            return
        self.ctx.store.delete(TABLE, PASSWORD)
        if place == 0:
            return
        if row["before"] is None:
            self._config.withdraw(PASSWORD, STATION)
        else:
            self._config.put(PASSWORD, row["before"], STATION)

    def _row(self, key: str) -> int | None:
        row = self.ctx.store.get(TABLE, key)
        return None if row is None else int(row["before"])


def _bytes(password: str | bytes | None) -> bytes | None:
    return password.encode() if isinstance(password, str) else password
