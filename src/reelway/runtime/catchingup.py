"""While the session's thread does something else, sources go on; then what is behind comes before the newest.

A filter of the user's that takes a second on a picture keeps the thread that decides for so long. Sources on
their own threads go on reading, which `heard` is told of; but what they read is not decoded meanwhile. Were
that filter to get its next turn at once, it would see a picture as old as its last turn. So those that want
the newest (links with the policy `fresh`) wait until the filters before them have nothing more to do, and no
longer than the time that is to be caught up with.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelway.graph.link import Link
    from reelway.runtime.node import Node

__all__ = ["CatchingUp", "heard"]

AWAY_S = 0.02
"""Less than this is no time in which pictures grow old."""
MOST_S = 5.0
"""A decoder that is too slow for its source never has nothing to do."""


class CatchingUp:
    """Who waits, and until when. The session's thread only; times are those of `time.perf_counter()` [s]."""

    __slots__ = ("_seen_s", "put_off", "until_s", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        """There is a link to somebody who wants the newest."""
        self.until_s = 0.0
        """0: nothing is to be caught up with."""
        self.put_off: list[Node] = []
        self._seen_s = 0.0

    def look(self) -> None:
        """A pass begins. Since the last one a task, or the caller who runs pass by pass, was at work."""
        now_s = time.perf_counter()
        if self._seen_s and now_s - self._seen_s > AWAY_S:
            self.away(now_s - self._seen_s)
        self._seen_s = now_s

    def slept(self) -> None:
        """Nothing was to be done until now."""
        self._seen_s = time.perf_counter()

    def turned(self, node: Node) -> None:
        """A turn of `node` on this thread is over."""
        if node.took_s > AWAY_S:
            self.away(node.took_s)

    def away(self, for_s: float) -> None:
        """The thread was busy for so long."""
        if self.wanted:
            self.until_s = max(self.until_s, time.perf_counter() + min(for_s, MOST_S))

    def puts_off(self, node: Node) -> bool:
        """`node` is to wait for newer packets, which are on their way; it is woken after each turn."""
        if time.perf_counter() >= self.until_s:
            self.until_s = 0.0
            return False
        if not any(link.limits.policy == "fresh" for link in node.filter.ipids) or not _comes_more(node):
            return False
        self.put_off.append(node)
        return True

    def ask_again(self) -> None:
        """A turn is over, perhaps the one that they wait for."""
        late, self.put_off = self.put_off, []
        for node in late:
            node.scheduler.wake(node)


def _comes_more(node: Node) -> bool:
    """A filter that feeds it is at work, or will be; sources always are."""
    seen: set[Node] = set()
    todo = [node]
    while todo:
        for link in todo.pop().filter.ipids:
            producer: Node = link.source.context  # type: ignore[assignment]
            if producer in seen or producer.is_source:
                continue
            if producer.running or (producer.ready and not (producer.done or producer.held)):
                return True
            seen.add(producer)
            todo.append(producer)
    return False


def heard(node: Node) -> None:
    """On a worker's thread: `node` goes on. Who has news of what it sent is woken."""
    if node.telling or not _news(node):
        return
    node.telling = True  # one note tells of all that came before it is read

    def note() -> None:
        node.telling = False
        for link in _news(node):
            if not link.waiting:
                link.waiting, link.since = True, node.ended_at
            link.announced = link.packets_in + link.marks_in
            node.scheduler.wake(link.filter.context)  # type: ignore[arg-type]

    node.scheduler.inbox.put(note)


def _news(node: Node) -> list[Link]:
    """Links in which there is what their consumer was not told of."""
    links = (link for pid in node.filter.opids for link in pid.links)
    return [link for link in links if link.packets_in + link.marks_in != link.announced]
