"""Where the next attempt to connect goes, as whom, how protected, and in which versions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.ocpp import link_rows
from app.ocpp.context import LinkFacts
from app.ocpp.personality import LinkPlan, LinkTrial, Personality, Setback
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import OwnChain, RootKind
from app.ocpp.version import Version
from app.runtime.address import Address, AddressBad, for_profile, plain_address
from app.runtime.config import Config
from app.runtime.connection import KNOWN, Target
from app.runtime.itinerary import Itinerary, Leg
from app.runtime.setbacks import in_a_word, setback
from app.runtime.store import Store, StoreError
from app.runtime.tls import PemPair, TlsFiles, root_texts
from app.runtime.turned_down import TurnedDown, name_of
from app.runtime.wire import OpenFailed
from app.runtime.wishes import LinkSettings, LinkWish, Wishes

NEWEST_FIRST = (Version.V201, Version.V16)


@dataclass(frozen=True, slots=True)
class Own:
    """One of the station's certificates. `chain`: where the protocol installed it."""

    files: TlsFiles
    chain: OwnChain | None = None
    turned_down: bool = False
    """The back office took another one instead."""


class Dialing:
    """Configuration, people's wishes and the protocol's own settings, laid over each other.

    `default_url` counts while neither configuration nor people name a back office.
    """

    def __init__(
        self,
        config: Config,
        wishes: Wishes,
        store: Store,
        personality: Callable[[], Personality | None],
        default_url: str | None,
    ) -> None:
        self._config, self._wishes, self._store = config, wishes, store
        self._personality, self.default_url = personality, default_url
        self._book = CertificateBook(store)
        self._turned_down = TurnedDown(store)
        self._itinerary = Itinerary()
        self._first_own: str | None = None
        self._profile: int | None = None

    def begin(self) -> None:
        """A power cycle begins: with the first way."""
        self._itinerary = Itinerary()
        self._profile = None

    # ------------------------------------------------------------------ what is set

    @property
    def url(self) -> str | None:
        """What is set, whatever a network profile of the protocol says at the moment."""
        return self._wishes.link().url or self.default_url

    @property
    def security_profile(self) -> int:
        """The one of the last attempt; before the first one what people have set."""
        if self._profile is None:
            return self._wishes.link().security_profile
        return self._profile

    def is_there(self, place: Address) -> bool:
        """Does the present back office live on that host and port?"""
        try:
            present = plain_address(self.url or "")
        except AddressBad:
            return False
        return (present.host, present.port) == (place.host, place.port)

    def go_to(self, place: Address, wish: LinkWish) -> None:
        """Keep what a person asked for; what the back office had set for the link is forgotten."""
        anew = not self.is_there(place)
        with self._store.step():
            self._wishes.ask(wish, anew=anew, after=self.newest_own)
            self._turned_down.forget()
            link_rows.forget(self._store, password=anew or wish.password is not None)

    def go_back(self) -> None:
        """Only what is configured counts again."""
        with self._store.step():
            self._wishes.forget_link()
            self._turned_down.forget()
            link_rows.forget(self._store, password=True)

    def facts(self) -> LinkFacts:
        """What people have given the station, for the protocol to judge what it may ask for."""
        settings = self._wishes.link()
        given = root_texts(settings.tls)
        secure = (settings.url or self.default_url or "").strip().lower().startswith("wss:")
        return LinkFacts(settings.password, bool(given) or secure, given, settings.tls.shows_own)

    # ------------------------------------------------------------------ the next attempt

    def target(self) -> Target | None:
        """The next attempt: what the protocol has set wins over what people and files say."""
        settings, personality = self._wishes.link(), self._personality()
        plan = personality.link_plan() if personality else LinkPlan()
        self._mind_new_own(settings)
        leg = self._itinerary.leg(plan)
        way, raised = leg.way, leg.way.security_profile
        profile = settings.security_profile if raised is None else raised
        url = way.url or settings.url or self.default_url
        if way.url is None and url is not None and profile > settings.security_profile:
            url = for_profile(url, profile, settings.secure_url)
        password = plan.passwords[leg.password] if leg.password < len(plan.passwords) else None
        settings = replace(
            settings,
            url=url,
            security_profile=profile,
            password=settings.password if password is None else password,
            tls=self._files(settings, leg, plan, strict=profile >= 2),
        )
        self._profile = profile
        target = self._target_of(settings)
        return None if target is None else replace(target, leg=leg)

    def trial(self, wish: LinkWish) -> Target | None:
        """As it would be if this was asked for."""
        settings, personality = self._wishes.link(wish), self._personality()
        plan = personality.link_plan() if personality else LinkPlan()
        if wish.certificate is not None:
            settings = replace(settings, after=self.newest_own)
        files = self._files(settings, Leg(), plan, strict=settings.security_profile >= 2)
        return self._target_of(replace(settings, tls=files))

    def tried(self, target: Target, error: OpenFailed | None, server: Sequence[bytes] = ()) -> bool:
        """An attempt has ended; `server`: the chain that was verified. True: another one at once."""
        with contextlib.suppress(StoreError):  # told by the store; the link goes on without it
            return self._tried(target, error, server)
        return False

    def _tried(self, target: Target, error: OpenFailed | None, server: Sequence[bytes]) -> bool:
        owns = self._owns(self._wishes.link())
        if error is None:
            self._worked(target, owns, server)
            return False
        leg, last = target.leg, owns[target.leg.own % len(owns)]
        kind = setback(error, shows_own=target.tls.shows_own)
        again = self._itinerary.failed(
            kind, own=len(owns), old_root=bool(self._book.fallback_roots())
        )
        if self._itinerary.own != leg.own:
            judged = target.security_profile == 3 and kind is Setback.CREDENTIALS
            if last.chain is not None:
                self._book.failed_with(last.chain, refused=judged)
            elif judged:
                self._turned_down.refused(last.files)
        self._tell(LinkTrial(leg.way, leg.password, kind, in_a_word(error)))
        return again

    def _worked(self, target: Target, owns: list[Own], server: Sequence[bytes]) -> None:
        leg = target.leg
        self._itinerary.worked()
        used = owns[leg.own % len(owns)]
        chain = used.chain
        if server:
            self._turned_down.taken(used.files)
        if server or self._book.chain_in_use() is not None:
            self._book.connected_with(
                chain if server else None, server=server, fallback_root=leg.old_root
            )
        self._tell(LinkTrial(leg.way, leg.password, None))

    def _tell(self, trial: LinkTrial) -> None:
        personality = self._personality()
        if personality is not None:
            personality.link_tried(trial)

    # ------------------------------------------------------------------ certificates

    def _files(self, settings: LinkSettings, leg: Leg, plan: LinkPlan, *, strict: bool) -> TlsFiles:
        owns = self._owns(settings)
        # the old root alone: where both have the same name OpenSSL may look at the wrong one only
        book = self._book
        roots = book.fallback_roots() if leg.old_root else book.roots(RootKind.CSMS)
        files = owns[leg.own % len(owns)].files
        return replace(files, roots=tuple(roots), wildcards=plan.wildcards or not strict)

    def _owns(self, settings: LinkSettings) -> list[Own]:
        """What the station can show, never empty: what the protocol installed, then what people gave.

        What a person chose goes before what the protocol had installed until then. Last what the back
        office has turned down. Whatever has failed since the last link stays in its place: whose turn it
        is the itinerary knows.
        """
        base = settings.tls
        installed = [
            Own(replace(base, own=PemPair(one.chain_pem, one.key_pem)), one, one.turned_down)
            for one in self._book.to_show()
        ]
        given = []
        if base.certificate is not None or not installed:
            given.append(base)
        if base.certificate is not None:
            given += [
                replace(base, certificate=certificate, key=key)
                for certificate, key in settings.spare
            ]
        files = [Own(one, turned_down=self._turned_down.holds(one)) for one in given]
        chosen = settings.after is not None and settings.after == self.newest_own
        found = [*files, *installed] if chosen else [*installed, *files]
        return sorted(found, key=lambda own: own.turned_down)

    @property
    def newest_own(self) -> str | None:
        """The newest certificate of the station that the protocol has installed."""
        newest = max(self._book.to_show(), key=lambda chain: chain.not_before, default=None)
        return newest.id if newest else None

    def _mind_new_own(self, settings: LinkSettings) -> None:
        """Another one is the first now: a newer one came, or the newest was turned down."""
        first = name_of(self._owns(settings)[0].files)
        if first != self._first_own:
            self._first_own = first
            self._itinerary.own_changed()

    # ------------------------------------------------------------------ versions

    def version(self) -> Version | None:
        """What to speak from the start; None: whichever the back office picks."""
        return self._wishes.link().fixed_version or self._wishes.chosen_version

    def offered(self, settings: LinkSettings) -> tuple[Version, ...]:
        """Decision 12: both where it is open, only the present one while its rows or sessions last."""
        if settings.fixed_version is not None:
            return (settings.fixed_version,)
        present = self._wishes.chosen_version
        if present is None:
            return NEWEST_FIRST
        personality = self._personality()
        if self._store.count("outbox") or (personality and personality.sessions()):
            return (present,)
        return (present, *(version for version in NEWEST_FIRST if version is not present))

    def _target_of(self, settings: LinkSettings) -> Target | None:
        url = settings.url or self.default_url
        if url is None:
            return None
        csms, versions = self._config.csms, self.offered(settings)
        possible = {version.subprotocol for version in versions}
        offer = tuple(
            name for name in settings.subprotocols if name in possible or name not in KNOWN
        )
        return Target(
            url,
            settings.station_id,
            versions,
            settings.password,
            settings.security_profile,
            settings.tls,
            csms.proxy,
            csms.connect_timeout,
            csms.max_message_size,
            csms.compression,
            offer if possible & set(offer) else (),
        )
