"""Network profiles and the proofs of the link. Part 2, A01, A05, B09 and B10 with the errata of 2025-09.

A slot holds a NetworkConnectionProfile. Slot 1 is what people have set up until the back office puts
something else there. Slots and priorities count from the next boot on (B10.FR.04), so they are read once a
power cycle; the order of attempts is the runtime's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.events import SettingChanged
from app.ocpp.link_rows import TABLE
from app.ocpp.personality import Block, LinkPlan, LinkTrial, Way
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.link_needs import has_certificate, has_root
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.variables import LARGEST, BadValue, split

PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"
ACTIVE = "OCPPCommCtrlr.ActiveNetworkProfile"
ATTEMPTS = "OCPPCommCtrlr.NetworkProfileConnectionAttempts"
PASSWORD = "SecurityCtrlr.BasicAuthPassword"
PROFILE = "SecurityCtrlr.SecurityProfile"
DOWNGRADE = "SecurityCtrlr.AllowSecurityProfileDowngrade"
WILDCARDS = "SecurityCtrlr.AllowCSMSTLSWildcards"

FIRST = 1
"""The slot of what people have set up."""

STATION = "station"
"""Who changes a variable back."""

PRINTED_LENGTH = 40
PRINTED_PASSWORD = re.compile(r"[A-Za-z0-9*\-_=:+|@.]{0,40}")
"""What a password may be without errata 2.1; that it may not be short is said by its variable."""

NO_DOWNGRADE = "NoSecurityDowngrade"
BAD_SLOT = "InvalidConfSlot"
BAD_CONFIGURATION = "InvalidNetworkConf"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a profile is not taken: a reason code and what is said besides."""

    reason: str
    info: str


class Network(Block):
    """The slots, which of them is in use, and what an attempt to connect has shown."""

    def __init__(self, ctx: Context, model: DeviceModel) -> None:
        super().__init__(ctx)
        self._model = model
        self._book = CertificateBook(ctx.store, ctx.clock.now)
        self._slots: dict[int, Payload | None] = {}
        self._ways: tuple[Way, ...] = (Way(FIRST),)
        self._active = FIRST
        self._good: Payload | None = None
        """What the slot in use held when it worked: a slot may be given something else meanwhile."""
        self.switched: Callable[[], None] = lambda: None
        """Called when another profile than the last one is in use (errata B10.FR.10)."""
        model.source("network.active", lambda _: str(self._active))
        model.source("security.profile", lambda _: str(self.security_profile))
        self._baseline = ctx.points.ahead("ocpp201-baseline")
        model.ahead(PRIORITY, self._look_at_priority)
        model.guard(PRIORITY, self._judge_priority)
        model.ahead(PASSWORD, self._look_at_password)
        model.guard(PASSWORD, self._judge_password)
        model.before(PASSWORD, self._password_goes)

    # ------------------------------------------------------------------ block

    def restore(self) -> None:
        self._slots = self._stored()
        wanted = [int(slot) for slot in self._model.members(PRIORITY) if slot.isdigit()]
        found = tuple(self._way(slot) for slot in wanted if slot in self._slots)
        self._ways = found or (self._way(FIRST),)
        row = self.ctx.store.get(TABLE, "active")
        self._active = int(row["slot"]) if row else self._ways[0].slot
        held = self._slots.get(self._active)
        self._good = row.get("data", held) if row else held

    def handlers(self) -> Mapping[str, Handler]:
        return {"SetNetworkProfile": self._set_network_profile}

    # ------------------------------------------------------------------ what runtime asks

    @property
    def security_profile(self) -> int:
        """Of the profile in use."""
        return self._profile_of(self._good)

    @property
    def may_move(self) -> bool:
        """Is there a way that leads to another profile than the one in use."""
        return any(way != _way(self._active, self._good) for way in self._ways)

    def plan(self) -> LinkPlan:
        home = _way(self._active, self._good) if self._active in self._slots else None
        return LinkPlan(
            self._ways,
            home,
            self._model.integer(ATTEMPTS),
            self._passwords(),
            wildcards=self._model.flag(WILDCARDS),
        )

    def message_timeout(self) -> int | None:
        """What the profile in use says about CALLs (s); None: nothing."""
        return int(self._good["messageTimeout"]) if self._good else None

    def tried(self, trial: LinkTrial) -> None:
        """An attempt has ended: one that worked settles what is in force."""
        if trial.setback is not None:
            return
        slot = trial.way.slot or self._active
        data = self._slots.get(slot) if trial.way in self._ways else self._good
        changed = (slot, data) != (self._active, self._good)
        before, profile_before = self._active, self.security_profile
        with self.ctx.store.step():
            self._settle_password(trial.password)
            if changed or self.ctx.store.get(TABLE, "active") is None:
                self.ctx.store.put(TABLE, "active", {"slot": slot, "data": data})
            if changed:
                self._active, self._good = slot, data
                self._prune()
        if self._active != before:
            self._tell(ACTIVE, before, self._active)
        if self.security_profile != profile_before:
            self._tell(PROFILE, profile_before, self.security_profile)
        if changed:
            self.switched()

    def _tell(self, name: str, before: int, after: int) -> None:
        self.ctx.bus.publish(SettingChanged(name, str(before), str(after), STATION))

    # ------------------------------------------------------------------ slots

    def _stored(self) -> dict[int, Payload | None]:
        """By slot; None: what people have set up."""
        found: dict[int, Payload | None] = {FIRST: None}
        for key, row in self.ctx.store.rows(TABLE):
            kind, _, number = key.partition(".")
            if kind != "slot":
                continue
            if row.get("gone"):
                found.pop(int(number), None)
            else:
                found[int(number)] = row["data"]
        return found

    def _way(self, slot: int) -> Way:
        return _way(slot, self._slots.get(slot))

    def _profile_of(self, data: Payload | None) -> int:
        return int(data["securityProfile"]) if data else self.ctx.settings.security_profile

    def _prune(self) -> None:
        """A05.FR.06: less safe profiles are gone for good, and with them their priority."""
        least = self.security_profile
        gone = [slot for slot, data in self._stored().items() if self._profile_of(data) < least]
        if not gone:
            return
        for slot in gone:
            self.ctx.store.put(TABLE, f"slot.{slot}", {"gone": True})
            self._slots.pop(slot, None)
        self._ways = tuple(way for way in self._ways if way.slot not in gone)
        self._ways = self._ways or (self._way(self._active),)
        named = self._model.members(PRIORITY)
        left = [slot for slot in named if int(slot) not in gone] or [str(self._active)]
        if list(named) != left:
            self._model.put(self._model.at(PRIORITY), ",".join(left), STATION)

    # ------------------------------------------------------------------ SetNetworkProfile

    async def _set_network_profile(self, request: Payload) -> Reply:
        slot, data = int(request["configurationSlot"]), request["connectionData"]
        if self._allowed_down(int(data["securityProfile"])):
            await self._baseline.ask()
        refusal = self._refusal(slot, data)
        if refusal is not None:
            info = {"reasonCode": refusal.reason, "additionalInfo": refusal.info}
            return Reply({"status": "Rejected", "statusInfo": info})
        try:
            self.ctx.store.put(TABLE, f"slot.{slot}", {"data": data})
        except OSError:  # told by the store
            info = {"reasonCode": "OutOfStorage"}
            return Reply({"status": "Failed", "statusInfo": info})  # B09.FR.03
        return Reply({"status": "Accepted"})

    def _refusal(self, slot: int, data: Payload) -> Refusal | None:
        """B09.FR.02, .04, .05 and .31."""
        known = self._model.at(PRIORITY).values
        if str(slot) not in known:
            return Refusal(BAD_SLOT, f"slots are {', '.join(known)}")
        flaw = _flaw(data)
        if flaw is not None:
            return Refusal(BAD_CONFIGURATION, flaw)
        profile = int(data["securityProfile"])
        if self._too_low([profile]):
            return Refusal(NO_DOWNGRADE, f"security profile {self.security_profile} is in use")
        if str(slot) in self._model.members(PRIORITY):
            lack = self._lack(profile)
            return None if lack is None else Refusal(BAD_CONFIGURATION, lack)
        return None

    def _too_low(self, profiles: Iterable[int]) -> list[int]:
        """A00.FR.005: none goes downward; errata A05.FR.08 to .10: where it is allowed, from 3 to 2."""
        down = [profile for profile in profiles if profile < self.security_profile]
        allowed = [profile for profile in down if self._allowed_down(profile)]
        if allowed and self._baseline.choose() != "edition-3":
            return [profile for profile in down if profile not in allowed]
        return down

    def _allowed_down(self, profile: int) -> bool:
        """Is this the one step down that the errata know, and is it allowed: the baseline decides then."""
        return self._model.flag(DOWNGRADE) and (self.security_profile, profile) == (3, 2)

    def _lack(self, profile: int) -> str | None:
        """What this security profile needs and the station has not got (A05.FR.02 and .03)."""
        if profile == self.security_profile:
            return None  # it is in use, so all is there
        if profile in (1, 2) and not (
            self._model.text(PASSWORD) or self.ctx.settings.link.password
        ):
            return "there is no BasicAuthPassword"
        if profile >= 2 and not has_root(self.ctx, self._book):
            return "there is no CSMS root certificate"
        if profile == 3 and not has_certificate(self.ctx, self._book):
            return "there is no charging station certificate"
        return None

    async def _look_at_priority(self, value: str) -> None:
        slots = self._stored()
        named = [int(slot) for slot in split(value) if slot.isdigit() and int(slot) in slots]
        if any(self._allowed_down(self._profile_of(slots[slot])) for slot in named):
            await self._baseline.ask()

    def _judge_priority(self, value: str) -> None:
        """B10.FR.01 and .02, A05.FR.02 to .10. Raises BadValue."""
        slots = self._stored()
        wanted = [int(slot) for slot in split(value)]
        if not wanted:
            raise BadValue(BAD_SLOT, "at least one slot is wanted")
        for slot in wanted:
            if slot not in slots:
                raise BadValue(BAD_CONFIGURATION, f"slot {slot} holds no profile")
        too_low = self._too_low(self._profile_of(slots[slot]) for slot in wanted)
        for slot in wanted:
            profile = self._profile_of(slots[slot])
            if profile in too_low:
                raise BadValue(NO_DOWNGRADE, f"slot {slot} has security profile {profile}")
            lack = self._lack(profile)
            if lack is not None:
                raise BadValue(BAD_CONFIGURATION, f"slot {slot}: {lack}")

    # ------------------------------------------------------------------ the password

    async def _look_at_password(self, value: str) -> None:
        if not PRINTED_PASSWORD.fullmatch(value):
            await self._baseline.ask()

    def _judge_password(self, value: str) -> None:
        """A00.FR.205: any characters since errata 2.1, few and at most 40 as printed. Raises BadValue."""
        if PRINTED_PASSWORD.fullmatch(value) or self._baseline.choose() != "edition-3":
            return
        if len(value) > PRINTED_LENGTH:
            raise BadValue("ValueTooHigh", f"at most {PRINTED_LENGTH} characters")
        raise BadValue("InvalidValue", "only letters, digits and *-_=:+|@.")

    def _passwords(self) -> tuple[bytes | None, ...]:
        found = [_bytes(self._model.text(PASSWORD))]
        row = self.ctx.store.get(TABLE, PASSWORD)
        if row is not None:
            found.append(_bytes(row["before"]))
        return tuple(found)

    def _password_goes(self, before: str | None, by: str) -> None:
        if by != STATION and self.ctx.store.get(TABLE, PASSWORD) is None:
            self.ctx.store.put(TABLE, PASSWORD, {"before": before})

    def _settle_password(self, place: int) -> None:
        row = self.ctx.store.get(TABLE, PASSWORD)
        if row is None:
            return
        self.ctx.store.delete(TABLE, PASSWORD)
        if place > 0:
            self._model.put(self._model.at(PASSWORD), row["before"] or "", STATION)


def _bytes(password: str | None) -> bytes | None:
    """Errata 2.1: sent as UTF-8 text, not decoded."""
    return password.encode() if password else None


def _way(slot: int, data: Payload | None) -> Way:
    if data is None:
        return Way(slot)
    return Way(slot, data["ocppCsmsUrl"], int(data["securityProfile"]))


def _flaw(data: Payload) -> str | None:
    """What is wrong with a NetworkConnectionProfile for this station."""
    profile, url = int(data["securityProfile"]), str(data["ocppCsmsUrl"])
    if data["ocppVersion"] != "OCPP20":
        return "only OCPP20"
    if data["ocppTransport"] != "JSON":
        return "only JSON"
    if not 0 <= profile <= 3:
        return "securityProfile is 0 to 3"
    if not 1 <= int(data["messageTimeout"]) <= LARGEST:
        return f"messageTimeout is 1 to {LARGEST}"
    if "vpn" in data:
        return "no VPN can be set up"
    if "apn" in data and not data["ocppInterface"].startswith("Wireless"):
        return "an APN needs a wireless interface"
    return _url_flaw(url, secure=profile >= 2)


def _url_flaw(url: str, *, secure: bool) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "ocppCsmsUrl is no URL"
    if parts.scheme not in ("ws", "wss") or not host or parts.fragment:
        return "ocppCsmsUrl is no ws or wss URL"
    if secure and parts.scheme != "wss":
        return "this security profile needs a wss URL"
    return None
