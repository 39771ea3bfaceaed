"""The entry point: the command line first; Qt is imported for the window only."""

from __future__ import annotations

import sys

from app.runtime.cli import main
from app.runtime.options import WindowOptions


def open_window(options: WindowOptions) -> int:
    from ui.application import run_window

    return run_window(options)


def self_test() -> int:
    from ui.self_test import run_self_test

    return run_self_test()


if __name__ == "__main__":
    sys.exit(main(open_window=open_window, self_test=self_test))
