"""The rows in which the protocol keeps what it has set for the link, in both versions.

The runtime forgets them when people send the station somewhere else: what one back office has set is no
business of another one.
"""

from __future__ import annotations

from app.ocpp.context import StorePort

TABLE = "ocpp.link"
"""Network profiles, and what was in force before a change until the change has worked.

The latter by the name of the key or variable: what one version has set is not what the other goes back to.
"""

ALWAYS = (
    ("v16.keys", "securityprofile"),
    ("v201.variables", "OCPPCommCtrlr.NetworkConfigurationPriority"),
)
PASSWORDS = (
    ("v16.keys", "authorizationkey"),
    ("v201.variables", "SecurityCtrlr.BasicAuthPassword"),
)


def forget(store: StorePort, *, password: bool) -> None:
    """Only what people have set counts for the link again; `password`: theirs too."""
    store.clear(TABLE)
    for table, key in (*ALWAYS, *(PASSWORDS if password else ())):
        store.delete(table, key)
