"""The signals that ask a program without a window to end in order."""

from __future__ import annotations

import signal


def polite_signals() -> list[signal.Signals]:
    """Ctrl+C, a polite kill, a closed terminal; what nohup makes a program deaf to stays so."""
    names = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        names.append(signal.SIGHUP)
    return names
