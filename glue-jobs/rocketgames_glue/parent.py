"""A job ends with the program that started it, also when that is killed: nobody would hear what it has to say."""

from __future__ import annotations

import os
import signal
import sys
import threading

GUARD = "ROCKETGAMES_STDIN_GUARD"
ORPHANED = 1


def end_with_parent() -> None:
    """With ``ROCKETGAMES_STDIN_GUARD=1`` the end of standard input, a pipe of the parent, ends this process at once.

    With it ends all that it started, where it leads a process group of its own. Spark's Java would end by itself, as its standard input is
    a pipe of this process, but for a moment of its start: it has not yet written where it listens, and cannot any more.
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
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(ORPHANED)
