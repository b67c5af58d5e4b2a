"""The command line, on top of the public names. A Ctrl-C ends it at once, also while its modules are loaded."""

import contextlib
import os
import signal
from types import FrameType

__all__ = ["main"]

_INTERRUPTED = 128 + signal.SIGINT  # the exit status that shells give


def main() -> None:
    """Run the command line. Errors go to standard error as one message, and the exit status is 1; 130 on a Ctrl-C."""
    before = None
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # as it is for a shell's job in the background
        with contextlib.suppress(ValueError):  # outside of the main thread, where no signal arrives
            before = signal.signal(signal.SIGINT, _end)
    try:
        from deepplp.cli.app import run

        run()
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _end(number: int, frame: FrameType | None) -> None:
    """End the process without an exception, which a library that is being loaded might swallow or take for its own."""
    with contextlib.suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(_INTERRUPTED)
