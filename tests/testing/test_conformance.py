"""The conformance suite finds what it looks for, and Reelway's own filters pass it."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway import catalog
from reelway.filters.simple import Call, Forward, Null, Tee
from reelway.testing.conformance import ConformanceError, check_filter
from reelway.testing.faults import Choppy, Slow
from reelway.testing.parts import numbered

PACKETS = numbered(40)


@pytest.mark.parametrize("kind", [Forward, Tee, Choppy, Slow], ids=lambda kind: kind.__name__)
def test_filters_that_pass_on(kind: type[rw.Filter]) -> None:
    seen = check_filter(kind, PACKETS, max_held=0)
    assert seen["video1"].numbers == list(range(40))


def test_sinks_and_functions() -> None:
    assert check_filter(Null, PACKETS) == {}
    check_filter(lambda: Call(function=lambda packet: packet), PACKETS, max_held=0)


@pytest.mark.parametrize("name", ["tee", "null", "reframer", "inspect"])
def test_filters_of_the_catalogue(name: str) -> None:
    if name not in catalog.FILTERS:
        pytest.skip(f"no {name} yet")
    check_filter(catalog.find(name), PACKETS)


class KeepsLast(Forward):
    """Holds packets back without end."""

    def configure(self, pid: rw.Link) -> None:
        super().configure(pid)
        pid.data = pid.data or []

    def process(self) -> float | None:
        for pid in self.ipids:
            pid.data.extend(pid)
        return None

    def ended(self, pid: rw.Link) -> None:
        for packet in pid.data:
            pid.output.send(packet)  # type: ignore[union-attr]
        super().ended(pid)


class ChangesSent(Forward):
    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                pid.output.send(packet)  # type: ignore[union-attr]
                pid.data = packet
        return None

    def close(self) -> None:
        for pid in self.ipids:
            if pid.data is not None:
                pid.data.dts = -5


class Twice(Forward):
    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                pid.output.send(packet)  # type: ignore[union-attr]
                pid.output.send(packet)  # type: ignore[union-attr]
        return None


class Scribbles(Forward):
    """Writes into memory that others read."""

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                packet.payload.memory[0] = 99
                pid.output.send(packet)  # type: ignore[union-attr]
        return None


class OnePerCall(Forward):
    """Sends other packets when it is called more often."""

    def process(self) -> float | None:
        for pid in self.ipids:
            first = pid.get()
            if first is not None:
                first.sap = 4
                pid.output.send(first)  # type: ignore[union-attr]
            for packet in pid:
                pid.output.send(packet)  # type: ignore[union-attr]
        return None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (KeepsLast, "it holds .* packets, 2 are allowed"),
        (ChangesSent, "changed a packet after sending it"),
        (Twice, "sent one packet twice"),
        (Scribbles, "changed a payload that others read"),
        (OnePerCall, "it sends other packets"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_it_finds_what_is_wrong(kind: type[rw.Filter], text: str) -> None:
    packets = numbered(40)
    if kind is Scribbles:
        for packet in packets:
            packet.writable()
    with pytest.raises(ConformanceError, match=text):
        check_filter(kind, packets, max_held=2)
