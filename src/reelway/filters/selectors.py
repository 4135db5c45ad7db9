"""`selector`, `outputselector` and `funnel`: one of several streams, to one of several, several into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.pid import Pid
from reelway.media.packet import Packet
from reelway.media.timebase import rescale
from reelway.media.timeline import Timeline

__all__ = ["Funnel", "OutputSelector", "Selector"]


class _OneOutput(Filter):
    """Several inputs, one output: with the properties of the input that sends, in the ticks of the first."""

    inputs = (Caps(),)
    outputs = (Caps(),)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._out: Pid | None = None
        self._from: Link | None = None
        """Whose properties the output has."""
        self._timescale = 1

    def restarted(self, pid: Link) -> None:
        if self._out is not None and pid is self._from:
            self._out.restart()

    def remove(self, pid: Link) -> None:
        if pid is self._from:
            self._from = None
        self._end_when_over()

    def ended(self, pid: Link) -> None:
        self._end_when_over()

    def configure(self, pid: Link) -> None:
        if pid is self._from:
            self._from = None  # the next packet brings the new properties

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [properties]

    def carried(self, pid: Link) -> dict[str, Any]:
        """What the output says while it carries `pid`, but for its ticks."""
        return {**pid.properties}

    def _end_when_over(self) -> None:
        if all(link.ended for link in self.ipids) and not self.context.expects_inputs(self):
            if self._out is None and self.ipids:  # so that the end has a way
                self._follow(self.ipids[0])
            if self._out is not None:
                self._out.end()

    def _pass(self, packet: Packet, pid: Link) -> None:
        if pid is not self._from:
            self._follow(pid)
        assert self._out is not None
        timescale = pid.properties.get("Timescale") or 1
        line, own = pid.pid.timeline, self._out.timeline
        if timescale != self._timescale or line != own:
            shift = _ticks(line, own, self._timescale)
            packet.dts = _moved(packet.dts, timescale, self._timescale, shift)
            packet.cts = _moved(packet.cts, timescale, self._timescale, shift)
            packet.duration = _moved(packet.duration, timescale, self._timescale, 0)
        self._out.send(packet)

    def _follow(self, pid: Link) -> None:
        self._from = pid
        if self._out is None:
            self._out = self.new_pid(pid.name, **self.carried(pid))
            self._out.timeline = pid.pid.timeline
            self._timescale = pid.properties.get("Timescale") or 1
            return
        made = self.carried(pid)
        if "Timescale" in made:
            made["Timescale"] = self._timescale
        self._out.replace_properties(made)


def _ticks(line: Timeline, own: Timeline, timescale: int) -> int:
    """How much later, in ticks of the output, a time lies there than it says."""
    return round((line.running_s(0, timescale) - own.running_s(0, timescale)) * timescale)


def _moved(ticks: int | None, timescale: int, to: int, shift: int) -> int | None:
    return None if ticks is None else rescale(ticks, timescale, to) + shift


class Selector(_OneOutput):
    """Lets one of its inputs through: number `active`, counted from 0 as they come or as an application says.

    It switches between two packets. Another input comes in at its next access point behind what was sent, so
    that what is behind can decode it. The others are read and dropped: with `sync` not before the active one
    is there too, so that a switch goes on at the same time; without, as they come.
    """

    registry_name = "selector"

    active: int = option(0, low=0, live=True, help="the input that passes, from 0")
    sync: bool = option(True, live=True, help="the others keep step with it")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dropped = 0
        self._until_s = float("-inf")
        """Where what was sent last begins on the running time."""
        self._on: Link | None = None

    def process(self) -> float | None:
        active = next((pid for pid in self.ipids if self.number_of(pid) == self.active), None)
        if active is not self._on:
            self._on = active
            if active is not None:
                active.data = "joins"
        if active is not None:
            while (packet := active.get()) is not None:
                if active.data == "joins":
                    start_s = _start_s(packet, active)
                    early = start_s is not None and start_s < self._until_s
                    if early or (not packet.sap and active.properties.get("StreamType") == "Visual"):
                        self.dropped += 1
                        continue
                    active.data = None
                    packet.discontinuity = self._out is not None
                start_s = _start_s(packet, active)
                self._until_s = self._until_s if start_s is None else start_s
                self._pass(packet, active)
        for pid in self.ipids:
            if pid is not active:
                self._skip(pid, active)
        self._end_when_over()
        return None

    def _skip(self, pid: Link, active: Link | None) -> None:
        """Drops what lies before the active input's place; all, where there is nothing to keep step with."""
        held = self.sync and active is not None and not active.ended
        while (packet := pid.peek()) is not None:
            start_s = _start_s(packet, pid)
            if held and start_s is not None and start_s > self._until_s:
                return
            if pid.take(packet):
                self.dropped += 1

    def updated(self, name: str) -> None:
        self.wake()


def _start_s(packet: Packet, pid: Link) -> float | None:
    """Where a packet lies on the running time [s]."""
    ticks = packet.dts if packet.dts is not None else packet.cts
    return None if ticks is None else pid.pid.timeline.running_s(ticks, pid.properties.get("Timescale") or 1)


class Funnel(_OneOutput):
    """Puts the packets of several streams of one kind into one, as they come.

    Properties that differ are news to the consumer, but for `Slot`, which each packet has as its own. It is
    over when all inputs are.
    """

    registry_name = "funnel"

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [_without_slot(properties)]

    def carried(self, pid: Link) -> dict[str, Any]:
        return _without_slot(pid.properties)

    def process(self) -> float | None:
        for pid in self.ipids:
            slot = pid.properties.get("Slot")
            while (packet := pid.get()) is not None:
                if slot is not None:
                    packet.properties = {"Slot": slot, **(packet.properties or {})}
                self._pass(packet, pid)
        self._end_when_over()
        return None


def _without_slot(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != "Slot"}


class OutputSelector(Filter):
    """Sends its input to one of `count` outputs, number `active`; select them by `#Output=0`, `#Output=1` ...

    It switches between two packets. `resend`: the output that becomes active gets the last packet again.
    """

    registry_name = "outputselector"
    inputs = (Caps(),)
    outputs = (Caps(),)
    max_inputs = 1

    count: int = option(2, low=1, help="how many outputs")
    active: int = option(0, low=0, live=True, help="the output that gets the packets, from 0")
    resend: bool = option(False, live=True, help="begin with the last packet")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._outs: list[Pid] = []
        self._last: Packet | None = None
        self._on = 0

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**properties, "Output": number} for number in range(self.count)]

    def configure(self, pid: Link) -> None:
        if self._outs:
            for number, output in enumerate(self._outs):
                output.replace_properties({**pid.properties, "Output": number})
            return
        for number in range(self.count):
            output = self.new_pid(f"out_{number}", **{**pid.properties, "Output": number})
            output.timeline = pid.pid.timeline
            self._outs.append(output)
        self._on = self.active

    def process(self) -> float | None:
        if not self._outs:
            return None
        if self.active != self._on:
            self._on = self.active
            if self.resend and self._last is not None and self._on < len(self._outs):
                self._outs[self._on].send(self._last.clone())
        for pid in self.ipids:
            for packet in pid:
                if self.resend:
                    self._last = packet.clone()
                if self._on < len(self._outs):
                    self._outs[self._on].send(packet)
        return None

    def updated(self, name: str) -> None:
        self.wake()
