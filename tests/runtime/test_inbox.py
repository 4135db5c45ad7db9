"""The inbox: everything arrives, in order, and every wait ends."""

from __future__ import annotations

import threading
from queue import Empty

import pytest

from reelway.runtime.inbox import Inbox


@pytest.fixture
def inbox() -> Inbox[int]:
    return Inbox()


def test_what_was_put_in_is_taken_in_order(inbox: Inbox[int]) -> None:
    for number in range(5):
        inbox.put(number)
    assert [inbox.get(), inbox.get_nowait(), inbox.get(1.0), inbox.items.popleft(), inbox.get()] == list(
        range(5)
    )
    assert inbox.empty()
    for ask in (inbox.get_nowait, lambda: inbox.get(0.0), lambda: inbox.get(0.001)):
        with pytest.raises(Empty):
            ask()


@pytest.mark.parametrize("timeout_s", [0.0, 1e-6, 5e-6, 1e-5, 5e-5])
def test_a_short_wait_ends_whatever_was_taken_before_without_waiting(
    inbox: Inbox[int], timeout_s: float
) -> None:
    """CPython's SimpleQueue hangs here before long."""
    for number in range(5000):
        inbox.put(number)
        assert inbox.get_nowait() == number
        with pytest.raises(Empty):
            inbox.get(timeout_s)


def test_a_wait_ends_when_something_comes(inbox: Inbox[int]) -> None:
    answers: Inbox[int] = Inbox()

    def answer() -> None:
        while (number := inbox.get(20.0)) >= 0:
            answers.put(number)

    thread = threading.Thread(target=answer)
    thread.start()
    for number in range(3000):
        inbox.put(number)
        assert answers.get(20.0) == number
    inbox.put(-1)
    thread.join(20.0)
    assert not thread.is_alive()


def test_many_put_and_nothing_is_lost(inbox: Inbox[int]) -> None:
    def put(first: int) -> None:
        for number in range(first, 40_000, 4):
            inbox.put(number)

    threads = [threading.Thread(target=put, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    found = [inbox.get(20.0) for _ in range(40_000)]
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(40_000))
    assert all([n for n in found if n % 4 == first] == list(range(first, 40_000, 4)) for first in range(4))
    assert inbox.empty()


def test_a_signal_may_put_while_another_put_is_under_way(inbox: Inbox[int]) -> None:
    """As a handler does in the middle of it: after the item, before the news."""
    news = inbox._news

    class Late:
        """The lock, in whose state somebody looks just before another put."""

        def locked(self) -> bool:
            held = news.locked()
            inbox._news = news
            inbox.put(2)
            return held

        release = news.release

    inbox._news = Late()  # type: ignore[assignment]
    inbox.put(1)
    assert [inbox.get(0.0), inbox.get(0.0)] == [1, 2]
