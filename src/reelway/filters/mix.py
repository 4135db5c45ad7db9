"""`mix`: several sounds at once, on one timeline."""

from __future__ import annotations

from typing import Any

import numpy

from reelway.errors import LinkError
from reelway.filters.frames import drain, frame_of, shown
from reelway.filters.sound import RAW_SOUND, to_floats, to_frame
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.pid import Pid
from reelway.media.layout import Array
from reelway.media.packet import Packet
from reelway.media.payload import Frame

__all__ = ["Mix"]

JITTER_S = 0.002
"""Times that are rounded to coarse ticks move by less than this; samples then follow without a gap."""
KNEE = 0.8
"""Up to here `limit=soft` changes nothing."""


class _Voice:
    """One input: how far it has been added to the mix."""

    __slots__ = ("ahead", "end")

    def __init__(self, end: int) -> None:
        self.end = end
        """The sample of the mix from which on nothing was added."""
        self.ahead: Frame | None = None
        """What comes behind a gap, at `end`: added when the mix gets there, so that no gap is stored."""


class Mix(Filter):
    """Adds sounds, each where its timeline has it; the output begins with the first of them.

    All inputs have the sample rate and the channels of the first one, or those that are asked for. The sum
    is limited: `hard` clips it, `soft` bends what is above 0.8, `none` leaves it to formats that can hold
    it; `clipped` counts samples above 1. Gaps are silent.
    """

    registry_name = "mix"
    inputs = (RAW_SOUND,)
    outputs = (RAW_SOUND,)

    gains: list[float] | float = option(
        [],
        kind=list[float] | float,
        low=0.0,
        live=True,
        help="of the inputs, in their order; 1 where missing",
    )
    end: str = option("longest", choices=("longest", "shortest"), help="with which input it ends")
    limit: str = option(
        "hard", choices=("hard", "soft", "none"), live=True, help="what becomes of sums above 1"
    )
    sample_rate: int = option(0, low=0, unit="Hz", help="0: that of the first input")
    channels: int = option(0, low=0, help="0: as many as the first input has")
    sample_format: str = option("", help="of the output; empty: that of the first input")
    samples: int = option(1024, low=1, help="in a packet")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.clipped = 0
        self._out: Pid | None = None
        self._rate = self._channels = 0
        self._sum: Array = numpy.zeros((0, 0))
        """What is not sent yet, from sample `_at` of the mix on."""
        self._at: int | None = None

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        asked = {"SampleRate": self.sample_rate, "NumChannels": self.channels}
        wanted = {name: value for name, value in asked.items() if value}
        self.inputs = (Caps(StreamType="Audio", CodecID="raw", **wanted),)  # type: ignore[misc]

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._made(properties)]

    def configure(self, pid: Link) -> None:
        if self._out is None:
            made = self._made(pid.properties)
            self._rate, self._channels = made["SampleRate"], made["NumChannels"]
            self._sum = numpy.zeros((0, self._channels))
            self._out = self.new_pid("mix", **made)
        for name, wanted in (("SampleRate", self._rate), ("NumChannels", self._channels)):
            if (have := pid.properties.get(name)) != wanted:
                raise LinkError(
                    f"{pid.source.name}.{pid.name} has {name} {have}, the mix {wanted}",
                    hint="mix:sample_rate=48000:channels=2 has every input converted to that",
                )

    def process(self) -> float | None:
        if self._out is None or self._out.ended:
            drain(self)
            return None
        if not self._begin():
            return None
        while not self.blocked:
            running = [pid for pid in self.ipids if not pid.ended or pid.data.ahead is not None]
            ends = [pid.data.end for pid in self.ipids if pid not in running]
            reached = min((pid.data.end for pid in running), default=max(ends, default=0))
            if ends and (not running or (self.end == "shortest" and reached >= min(ends))):
                if self._send(max(ends) if self.end == "longest" else min(ends), rest=True):
                    self._out.end()
                    drain(self)
                return None
            if not self._send(reached):
                return None
            behind = min(running, key=lambda pid: pid.data.end)
            if behind.data.ahead is None:
                packet = shown(behind)
                if packet is None:
                    return None
                behind.take(packet)
                self._take(behind, packet)
            else:
                self._add(behind, behind.data.ahead)
        return None

    def ended(self, pid: Link) -> None:
        """The output ends in process(), behind what is left of the others."""

    def restarted(self, pid: Link) -> None:
        """It goes on from where its times say; the mix does not."""
        if pid.data is not None and pid.data.ahead is not None:  # left before it was reached
            assert self._at is not None
            pid.data.ahead, pid.data.end = None, self._at

    def _made(self, properties: dict[str, Any]) -> dict[str, Any]:
        rate = self.sample_rate or properties.get("SampleRate")
        made = {
            "StreamType": "Audio",
            "CodecID": "raw",
            "SampleRate": rate,
            "Timescale": rate,
            "NumChannels": self.channels or properties.get("NumChannels"),
            "AudioFormat": self.sample_format or properties.get("AudioFormat"),
        }
        if layout := properties.get("ChannelLayout"):
            made["ChannelLayout"] = layout
        return made

    def _begin(self) -> bool:
        """Finds where the mix begins, once every input is there; True when that is known."""
        if self._at is not None:
            for pid in self.ipids:
                if pid.data is None:
                    pid.data = _Voice(self._at)  # it came later
            return True
        if any(not pid.configured for pid in self.ipids) or self.context.expects_inputs(self):
            return False
        heads = {pid: shown(pid) for pid in self.ipids}
        if any(head is None and not pid.ended for pid, head in heads.items()):
            return False
        places = {pid: self._place(pid, head) for pid, head in heads.items() if head is not None}
        self._at = min((place for place in places.values() if place is not None), default=0)
        for pid in self.ipids:
            place = places.get(pid)
            pid.data = _Voice(self._at if place is None else place)
        return True

    def _place(self, pid: Link, packet: Packet) -> int | None:
        """The sample of the mix at which a packet begins; None where it has no time."""
        time = packet.cts if packet.cts is not None else packet.dts
        if time is None:
            return None
        timescale = pid.properties.get("Timescale") or self._rate
        return round(pid.pid.timeline.running_s(time, timescale) * self._rate)

    def _take(self, pid: Link, packet: Packet) -> None:
        """Adds a packet where the timeline of its input has it, or keeps it for then."""
        voice: _Voice = pid.data
        frame, place = frame_of(packet, pid.properties), self._place(pid, packet)
        if place is None or abs(place - voice.end) <= JITTER_S * self._rate:
            self._add(pid, frame)
        elif place > voice.end:
            voice.ahead, voice.end = frame, place
        else:
            self._add(pid, frame, place)

    def _add(self, pid: Link, frame: Frame, at: int | None = None) -> None:
        """Adds what is at sample `at` of the mix, or follows what was added before, to the sum.

        Its input is the one that is furthest behind and everything up to there was sent, but for less than
        a packet: so the sum is never longer than a packet of the output and one of the input.
        """
        assert self._at is not None
        voice: _Voice = pid.data
        voice.ahead = None
        samples = to_floats(frame) * self._gain(pid)
        at = voice.end if at is None else at
        early = max(0, self._at - at)
        samples, start = samples[early:], at + early - self._at
        missing = start + len(samples) - len(self._sum)
        if missing > 0:
            self._sum = numpy.concatenate((self._sum, numpy.zeros((missing, self._channels))))
        self._sum[start : start + len(samples)] += samples
        voice.end = max(voice.end, self._at + start + len(samples))

    def _gain(self, pid: Link) -> float:
        gains = self.gains if isinstance(self.gains, list) else [self.gains]
        number = self.ipids.index(pid)
        return gains[number] if number < len(gains) else 1.0

    def _send(self, until: int, rest: bool = False) -> bool:
        """Sends whole packets of what is before sample `until`, with `rest` all of it; False: it is full."""
        assert self._at is not None
        assert self._out is not None
        least = 1 if rest else self.samples
        while (left := until - self._at) >= least:
            if self.blocked:
                return False
            count = min(left, self.samples)
            block, self._sum = self._sum[:count], self._sum[count:]
            if len(block) < count:
                block = numpy.concatenate((block, numpy.zeros((count - len(block), self._channels))))
            frame = to_frame(self._limited(block), self._out.properties["AudioFormat"])
            self._out.send(Packet(frame, self._at, self._at, count, 1, frame.size))
            self._at += count
        return True

    def _limited(self, block: Array) -> Array:
        size = numpy.abs(block)
        over = int(numpy.count_nonzero(size > 1))
        if over:
            self.clipped += over
            self.status = f"{self.clipped} samples above full scale"
        if self.limit == "none" or (not over and self.limit == "hard"):
            return block
        if self.limit == "hard":
            return numpy.clip(block, -1, 1)
        bent = KNEE + (1 - KNEE) * numpy.tanh((size - KNEE) / (1 - KNEE))
        return numpy.where(size > KNEE, numpy.copysign(bent, block), block)
