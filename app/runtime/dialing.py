"""Where the next attempt to connect goes, as whom, and in which versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.ocpp.personality import Personality
from app.ocpp.version import Version
from app.runtime.address import Address, AddressBad, plain_address
from app.runtime.config import Config
from app.runtime.connection import Target
from app.runtime.store import Store
from app.runtime.wishes import LinkSettings, LinkWish, Wishes

NEWEST_FIRST = (Version.V201, Version.V16)


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

    @property
    def url(self) -> str | None:
        """What is set, whatever a network profile of the protocol says at the moment."""
        return self._wishes.link().url or self.default_url

    def is_there(self, place: Address) -> bool:
        """Does the present back office live on that host and port?"""
        try:
            present = plain_address(self.url or "")
        except AddressBad:
            return False
        return (present.host, present.port) == (place.host, place.port)

    def target(self) -> Target | None:
        """The next attempt: what the protocol has set wins over what people and files say."""
        settings, personality = self._wishes.link(), self._personality()
        if personality is None:
            return self._target_of(settings)
        password = personality.basic_auth_password()
        if isinstance(password, str):
            password = password.encode()
        url = personality.connection_url() or settings.url
        return self._target_of(replace(settings, url=url, password=password or settings.password))

    def trial(self, wish: LinkWish) -> Target | None:
        """As it would be if this was asked for."""
        return self._target_of(self._wishes.link(wish))

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
        csms = self._config.csms
        return Target(
            url,
            settings.station_id,
            self.offered(settings),
            settings.password,
            settings.security_profile,
            settings.tls,
            csms.proxy,
            csms.connect_timeout,
            csms.max_message_size,
        )
