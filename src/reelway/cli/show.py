"""`play`, `view` and `cameras`: pictures on the screen, sound from the loudspeakers."""

from __future__ import annotations

from reelway.cli.job import terminable
from reelway.cli.outcome import DONE, outcome_of
from reelway.cli.statistics import columns
from reelway.engine import cameras as machine
from reelway.session.logs import set_logs
from reelway.session.session import Session
from reelway.session.showing import Player, Showing, Viewer

__all__ = ["Showing", "cameras", "play", "view"]


def play(showing: Showing, *, threads: int | None, log: str | None, quiet: bool) -> int:
    """Shows one source, and plays its sound in step with it, until it ends or its window is closed."""
    with _session(threads, log, quiet) as session, terminable(session) as received:
        player = Player(session, showing)
        session.run(progress=not quiet)
        if not received:
            player.check()
    return outcome_of(received)


def view(showing: Showing, *, threads: int | None, log: str | None, quiet: bool) -> int:
    """Shows the pictures of several sources side by side, each as it comes, until all have ended."""
    with _session(threads, log, quiet) as session, terminable(session) as received:
        Viewer(session, showing)
        session.run()
    return outcome_of(received)


def cameras() -> int:
    """Prints the cameras of this machine, a line each; says so where there is none."""
    found = machine.cameras()
    rows = [["device", "name"], *(list(each) for each in found)]
    print("\n".join(columns(rows)) if found else "no camera is on this machine")
    return DONE


def _session(threads: int | None, log: str | None, quiet: bool) -> Session:
    set_logs(f"all@{'quiet' if quiet else 'warning'}{':' + log if log else ''}")
    return Session(unlinked="ignore", threads=threads)
