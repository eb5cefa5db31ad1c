"""The entry point: begins with what is slow, then hands over to the command line.

A single answer waits longest for Chroma and the model to load. They start loading in a second process before
anything else is imported here. Comes in: the arguments of the command. Goes out: :data:`ahead`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.adapters.search_process import SearchProcess

ahead: SearchProcess | None = None


def main() -> None:
    """What the command ``zeming`` runs."""
    global ahead
    arguments = sys.argv[1:]
    if arguments[:1] == ["ask"] and not {"--batch", "--help"} & set(arguments):
        from assistant.adapters.search_process import SearchProcess

        ahead = SearchProcess()
    from assistant.cli import main as command_line

    command_line()
