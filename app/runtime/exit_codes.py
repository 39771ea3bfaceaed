"""How the program ends: the published table of exit codes."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a script sees when the program has ended."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    CONFIG = 3
    STATE_LOCKED = 4
    STATE = 5
    NOT_CONNECTED = 6
    UNDECIDED = 7
    CONTROL = 8
    SELF_TEST = 9
    WINDOW = 10
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.OK: "Ended in order: `app.quit`, the end of stdin, a closed window.",
    Exit.INTERNAL: "A fault of Forecourt; stderr has the details.",
    Exit.USAGE: "A wrong option or argument.",
    Exit.CONFIG: "A configuration, blueprint, certificate, key or password file cannot be used.",
    Exit.STATE_LOCKED: "Another program uses this state folder.",
    Exit.STATE: "The state folder cannot be used: not writable, of a newer program, other hardware.",
    Exit.NOT_CONNECTED: "No connection within `--connect-timeout`.",
    Exit.UNDECIDED: "Strict mode met an open point that the configuration does not decide.",
    Exit.CONTROL: "The control channel cannot be opened: port taken, token file missing, no stdin.",
    Exit.SELF_TEST: "`--self-test` found a fault.",
    Exit.WINDOW: "No window can be opened: PySide6 or a screen is missing.",
    Exit.INTERRUPTED: "Ctrl+C or a signal.",
}
