"""What several tests need that start programs."""

from __future__ import annotations

import signal


def hears_ctrl_c() -> None:
    """For ``preexec_fn``: what runs in the background of a shell is told to ignore Ctrl+C, and would pass that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
