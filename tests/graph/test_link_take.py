"""Taking the packet that was looked at: exactly that one, and whatever the outputs say."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import reelway as rw
from reelway.graph.link import Mark, News
from reelway.graph.policy import make_link


def linked(**limits: Any) -> rw.Link:
    pid = rw.Pid(rw.Filter(), "out", {})
    link = make_link(pid, rw.Filter(), rw.Limits(**limits), threading.Lock())
    for dts in range(3):
        link.push(rw.Packet(b"abcd", dts=dts))
    return link


@pytest.mark.parametrize("policy", ["block", "drop_oldest"])
def test_it_takes_what_peek_gave(policy: str) -> None:
    link = linked(policy=policy)
    packet = link.peek()
    assert packet is not None
    link.filter.blocked = True  # as after sending on a full output
    assert link.peek() is None
    assert link.get() is None
    assert link.take(packet)
    assert not link.take(packet)
    assert (link.packets_out, link.bytes_out, len(link)) == (1, 4, 2)
    link.filter.blocked = False
    following = link.get()
    assert following is not None
    assert following.dts == 1


def test_it_never_takes_another_in_its_place() -> None:
    link = linked(policy="drop_oldest", packets=3)
    packet = link.peek()
    assert packet is not None
    link.push(rw.Packet(b"abcd", dts=3))
    assert not link.take(packet)
    assert (link.packets_out, link.packets_dropped, len(link)) == (0, 1, 3)


def test_it_takes_no_mark() -> None:
    link = linked()
    packet = link.get()
    assert packet is not None
    link.push_mark(Mark(News.END))
    assert not link.take(packet)
    assert len(link) == 2
