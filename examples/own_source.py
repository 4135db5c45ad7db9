"""A source and a sink in Python, with payloads that are no media at all: two sensors in time order.

python examples/own_source.py
"""

from __future__ import annotations

import math

import reelway as rw


class Sensor(rw.Filter):
    """A source: nothing feeds it, so it makes its PID in `open()` and sends when it is called."""

    outputs = [rw.Caps(StreamType="Metadata", CodecID="temperature")]

    interval_ms: int = rw.option(1000, low=1, unit="ms", help="time between two readings")
    readings: int = rw.option(5, low=1, help="how many there are")

    def open(self) -> None:
        self.number = 0
        self.out = self.new_pid(self.name, StreamType="Metadata", CodecID="temperature", Timescale=1000)

    def process(self) -> None:
        while self.number < self.readings and not self.blocked:
            time_ms = self.number * self.interval_ms
            self.out.send(rw.Packet(20 + math.sin(time_ms / 1000), dts=time_ms, duration=self.interval_ms))
            self.number += 1
        if self.number == self.readings:
            self.out.end()


class Logbook(rw.Filter):
    """A sink for any number of sensors: it has no outputs."""

    inputs = [rw.Caps(StreamType="Metadata", CodecID="temperature")]

    def configure(self, pid: rw.Link) -> None:
        print(f"{pid.name} joins, {pid.properties['Timescale']} ticks a second")

    def process(self) -> None:
        for pid, packet in rw.merge(self.ipids):  # the earliest first, when every input has a packet
            print(f"{packet.dts:5} ms  {pid.name:6}  {packet.payload:.2f}")


def main() -> None:
    with rw.Session() as session:
        session.add(Sensor(name="cellar", interval_ms=1000, readings=3))
        session.add(Sensor(name="roof", interval_ms=400, readings=6))
        session.add(Logbook())  # not linked by name: it takes what it accepts
        session.run()


if __name__ == "__main__":
    main()
