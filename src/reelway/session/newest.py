"""Frames of a live source for a loop that takes its time: the session goes on in a thread of its own.

What waits for the loop is in the link in front of `Newest`, which holds the newest (`freshness.FRESH`), and
not here: a frame is taken out when it is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from reelway.filters.mailbox import Mailbox
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.media.packet import Packet

if TYPE_CHECKING:
    from reelway.session.session import Session

__all__ = ["Newest", "running"]


class Newest(Filter):
    """Gives a packet, with the properties of its PID, when somebody asks for it."""

    max_inputs = 1

    def __init__(self, wanted: Caps) -> None:
        super().__init__(name="frames")
        self.inputs = (wanted,)  # type: ignore[misc]  # what one caller wants
        self.on_demand = False
        """A frame is taken from the link when it is asked for, and not before."""
        self._box: Mailbox[tuple[Packet, dict[str, Any]]] = Mailbox(1)
        self._asked = False

    def take(self) -> tuple[Packet, dict[str, Any]] | None:
        """Waits for one; None: there are no more. Any thread but the session's."""
        self._asked = True
        if not self._box.closed:
            self.wake()
        return self._box.take(None)

    def process(self) -> float | None:
        for link in self.ipids:
            while self._asked and (packet := link.get()) is not None:
                if not packet.seek:
                    self._asked = False
                    self._box.offer((packet, link.properties))
        return None

    def ended(self, pid: Link) -> None:
        self._box.close("the stream has ended")

    def close(self) -> None:
        self._box.close("the session is over")


def running(session: Session, sink: Newest) -> Generator[tuple[Packet, dict[str, Any]], None, None]:
    """Runs `session`, which is linked, in a thread, and gives what `sink` takes. Raises as `run()` does.

    Closed, it stops the session and waits for that, 2 s at most.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            session.run_until(lambda: False)  # to its end, also one that is made for runs pass by pass
        except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
            failures.append(error)

    sink.on_demand = sink.waits_outside = True
    thread = threading.Thread(target=run, name="reelway-frames", daemon=True)
    thread.start()
    try:
        while (item := sink.take()) is not None:
            yield item
    finally:
        session.stop("none")
        thread.join()
    if failures:
        raise failures[0]
