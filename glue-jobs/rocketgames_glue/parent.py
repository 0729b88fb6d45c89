"""A job ends with the program that started it, also when that is killed: nobody would hear what it has to say."""

from __future__ import annotations

import os
import sys
import threading

GUARD = "ROCKETGAMES_STDIN_GUARD"
ORPHANED = 1


def end_with_parent() -> None:
    """With ``ROCKETGAMES_STDIN_GUARD=1`` the end of standard input, a pipe of the parent, ends this process at once.

    Spark's Java ends with it: its own standard input is a pipe of this process.
    """
    if os.environ.get(GUARD) != "1":
        return
    # Taken by its number: whoever replaces sys.stdin, as a test may, changes nothing here.
    threading.Thread(target=_wait, args=(sys.__stdin__.fileno() if sys.__stdin__ else 0,), daemon=True).start()


def _wait(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except OSError:
        pass
    os._exit(ORPHANED)
