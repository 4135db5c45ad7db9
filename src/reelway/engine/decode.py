"""The decoder: coded streams into raw frames."""

from __future__ import annotations

import logging
from collections import deque
from time import perf_counter
from typing import Any

from reelway.engine.decoder import Decoder, Known, decodable
from reelway.engine.frame import CodecFrame
from reelway.engine.group import Group
from reelway.engine.rawformat import CODED_ONLY, picture_properties, sound_properties
from reelway.errors import FormatError
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.pid import Pid
from reelway.graph.resolve import Conversion
from reelway.media.events import Event, Play, Seek
from reelway.media.packet import Packet
from reelway.media.timebase import rescale

__all__ = ["TURN_FRAMES", "TURN_S", "Decode"]

log = logging.getLogger("reelway.engine")

TURN_FRAMES = 2
TURN_S = 0.01
"""After so many pictures, or so long, others get their turn."""

VIDEO, AUDIO = decodable("video"), decodable("audio")


class Decode(Filter):
    """Decodes video and audio.

    Frames come in the order in which they are shown, `dts` = `cts` = the time of showing, in the ticks of
    the input. What is not to be shown by the file's edit list, and the priming of sound encoders, is left
    out. Damaged packets are counted, and decoding goes on; what refers to them is marked `corrupted`. A
    picture that carries a turn (`Rotate`) is not turned.

    While `decoding` is off nothing is decoded, and the stream goes on. On again, the picture of that moment
    comes at once, from what came since the last keyframe, or from the next one; it is a `discontinuity`.
    """

    registry_name = "decode"
    kind = "decode"
    thread = "pool"
    inputs = (Caps(StreamType="Visual", CodecID=VIDEO), Caps(StreamType="Audio", CodecID=AUDIO))
    outputs = (Caps(CodecID="raw"),)
    conversions = tuple(Conversion(accepts, Caps(CodecID="raw"), removes=CODED_ONLY) for accepts in inputs)

    threads: int = option(0, low=0, help="threads of each codec; 0: as many as there are cores, 8 at most")
    thread_type: str = option(
        "auto",
        choices=("auto", "frame", "slice", "none"),
        help="what threads share: whole frames (fast, but each thread delays by a frame) or parts of one; "
        "auto: the parts of what is live, else whatever the codec can",
    )
    decoding: bool = option(True, live=True, help="off: nothing is decoded, and what comes is left out")
    hwaccel: str = option(
        "", help="decode video on hardware, by FFmpeg's name: cuda, vaapi, qsv, videotoolbox ..."
    )
    hwaccel_device: str = option("", help="which device, such as 0 or /dev/dri/renderD128")
    hwaccel_required: bool = option(False, help="fail where hardware cannot, instead of decoding in software")

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        kept = {name: value for name, value in properties.items() if name not in CODED_ONLY}
        return [{**kept, "CodecID": "raw"}]

    def configure(self, pid: Link) -> None:
        if pid.data is not None:
            if pid.data.fits(pid.properties):
                pid.data.take_properties(pid.properties)
                return
            pid.data.drain()
            pid.data.decoder.close()
        before: _Stream | None = pid.data
        video = pid.properties.get("StreamType") == "Visual"
        decoder = Decoder(
            pid.properties,
            threads=self.threads,
            thread_type=self._thread_type(pid),
            hwaccel=self.hwaccel if video else "",
            device=self.hwaccel_device,
            required=self.hwaccel_required,
        )
        pid.data = _Stream(self, pid, decoder)
        if before is not None:
            pid.data.follow(before)

    def process(self) -> float | None:
        until = perf_counter() + TURN_S
        behind = False
        for pid in self.ipids:
            stream: _Stream = pid.data
            if not self.decoding:
                for packet in pid:
                    stream.group.keep(packet)
                continue
            if not stream.catch_up(until):
                behind = True
                continue
            left = TURN_FRAMES if stream.video else 64
            for packet in pid:
                left -= stream.decode(packet)
                if left <= 0 or perf_counter() > until:
                    break
        return 0.0 if behind else None

    def updated(self, name: str) -> None:
        if name == "decoding":
            for pid in self.ipids:
                if pid.data is not None:
                    pid.data.switch(self.decoding)
            self.wake()

    def restarted(self, pid: Link) -> None:
        pid.data.restart()
        super().restarted(pid)

    def ended(self, pid: Link) -> None:
        if pid.data is not None:
            pid.data.drain(cut=self.context.stopping)
            if pid.output is None and pid.data.decoder.damaged:
                raise FormatError(
                    f"nothing of {pid.name} could be decoded: {pid.data.decoder.damaged} packets failed, "
                    f"the last with {pid.data.decoder.last_error}",
                    hint="the file is damaged, or what should decode it is not what it says",
                )
            if damaged := pid.data.decoder.damaged:
                log.warning("%s: %d packets of %s are damaged and left out", self.name, damaged, pid.name)
        super().ended(pid)

    def on_event(self, event: Event) -> bool:
        """Play and Seek pass; frames before the time they ask for are marked `seek`."""
        match event:
            case Play(start_s=start_s):
                self._begin_at(event.pid, start_s if start_s > 0 else None)
            case Seek(time_s=time_s):
                self._begin_at(event.pid, time_s)
        return False

    def close(self) -> None:
        for pid in self.ipids:
            if pid.data is not None:
                pid.data.decoder.close()

    def _thread_type(self, pid: Link) -> str:
        """Frames that wait for each other in threads are old when they come out."""
        return "slice" if self.thread_type == "auto" and pid.properties.get("Live") else self.thread_type

    def _begin_at(self, output: Pid, time_s: float | None) -> None:
        for pid in self.ipids:
            if pid.output is output and pid.data is not None:
                pid.data.begin_at(time_s)


class _Stream:
    """One input on its way into frames."""

    def __init__(self, filter: Decode, pid: Link, decoder: Decoder) -> None:
        self.decoder = decoder
        self.video = pid.properties.get("StreamType") == "Visual"
        self._filter = filter
        self._pid = pid
        self._given = dict(pid.properties)
        self._format: tuple[Any, ...] = ()
        self._next: int | None = None
        """When the next frame starts, where its packet does not say."""
        self._from: int | None = None
        """Frames before this are not to be shown."""
        self._asked_from: int | None = None
        """The same behind the next restart, which the source sends when it is there."""
        self._smeared_from: int | None = None
        """From here on something is missing that frames refer to, up to the next random access point."""
        self._in_mp4 = self.video and "mp4" in str(pid.properties.get("Container"))
        self._coded: tuple[int, int | None] | None = None
        """How much later than it is decoded the first picture is shown, and for how long."""
        self._reorders = self._varies = False
        self._held: tuple[Any, Known] | None = None
        """A frame that is shown up to the next one."""
        self._told_software = not filter.hwaccel
        self.group = Group()
        """While decoding is off."""
        self._behind: deque[Packet] = deque()
        """What is decoded first, when it is on again."""
        self._shown_from: int | None = None
        """Of this, frames that end up before here are past."""
        self._waits = self._resumed = not filter.decoding
        """For a random access point; and the next frame does not follow on the one before."""
        fps = pid.properties.get("FPS")
        self._step = max(1, round(decoder.timescale / fps)) if self.video and fps else None

    def fits(self, properties: dict[str, Any]) -> bool:
        """True where the same decoder can go on."""
        names = ("CodecID", "Timescale", "StreamInfo", "DecoderConfig")
        return all(properties.get(name) == self._given.get(name) for name in names)

    def take_properties(self, properties: dict[str, Any]) -> None:
        self._let_go()
        self._given = dict(properties)
        self._format = ()

    def follow(self, before: _Stream) -> None:
        if before._from is not None:
            self._from = rescale(before._from, before.decoder.timescale, self.decoder.timescale)
        if before._next is not None:
            self._next = rescale(before._next, before.decoder.timescale, self.decoder.timescale)

    def begin_at(self, time_s: float | None) -> None:
        start = self._given.get("StartTime") or 0
        asked = None if time_s is None else round((time_s + float(start)) * self.decoder.timescale)
        self._asked_from = asked

    def switch(self, on: bool) -> None:
        """Decoding is on, or off, from here on."""
        if not on:
            self._let_go()
            self.decoder.flush()
            self._next = self._smeared_from = self._shown_from = None
            self._behind.clear()
            self._waits = self._resumed = True
            return
        self._behind = self.group.take()
        if self._behind:
            last = self._behind[-1]
            self._shown_from = last.dts if last.dts is not None else last.cts

    def catch_up(self, until: float) -> bool:
        """Decodes what came while it was off, up to a moment of `perf_counter`; False: there is more."""
        while self._behind:
            if perf_counter() > until:
                return False
            self.decode(self._behind.popleft())
        return True

    def decode(self, packet: Packet) -> int:
        """How many frames were sent."""
        if self._waits:
            if self.video and not packet.sap:
                return 0
            self._waits = False
        before = self.decoder.damaged
        if self._in_mp4 and not (self._reorders and self._varies):
            self._look(packet)
        frames = self.decoder.decode(packet)
        if self.video and (self.decoder.damaged > before or (packet.discontinuity and packet.sap != 1)):
            self._smear(packet)
        return self._send(frames)

    def _smear(self, packet: Packet) -> None:
        """Nothing that is decoded later is shown before a packet's decode time."""
        time = packet.dts if packet.dts is not None else packet.cts
        if self._smeared_from is None:
            self._smeared_from = time if time is not None else self._next or 0

    def _is_smeared(self, frame: Any, time: int) -> bool:
        if self._smeared_from is None or time < self._smeared_from:
            return False
        if frame.key_frame:
            self._smeared_from = None
            return False
        return True

    def _look(self, packet: Packet) -> None:
        """Of pictures that are coded out of order MP4 does not say how long each is shown.

        Its durations say how far apart they are decoded (ISO/IEC 14496-12, 8.6.1.2). Where these vary, the
        next picture tells when the one before it is over.
        """
        if packet.dts is None or packet.cts is None or packet.duration is None:
            return
        here = packet.cts - packet.dts, packet.duration
        if self._coded is None:
            self._coded = here
        self._reorders |= here[0] != self._coded[0]
        self._varies |= here[1] != self._coded[1]

    def drain(self, *, cut: bool = False) -> None:
        """The last frames. `cut`: the stream was stopped somewhere, perhaps between frames that are shown
        before others and those; it then ends where the first one is missing."""
        frames = self.decoder.drain()
        self._send(self._without_hole(frames) if cut else frames)
        self._let_go()

    def _without_hole(self, frames: list[Any]) -> list[Any]:
        step, due = self._step, self._next
        if step is None or self._varies:  # nobody knows when the next one is due
            return frames
        for at, frame in enumerate(frames):
            if frame.pts is None:
                return frames
            if due is not None and frame.pts > due + step // 2:
                return frames[:at]
            due = frame.pts + (frame.duration or step)
        return frames

    def restart(self) -> None:
        """What was begun of the place before comes out first."""
        self._send(self.decoder.drain())
        self._let_go()
        self.decoder.flush()
        self.group.clear()
        self._behind.clear()
        self._from = self._asked_from
        self._next = self._smeared_from = None

    def _send(self, frames: list[Any]) -> int:
        if self.decoder.damaged:
            self._filter.status = f"{self.decoder.damaged} damaged packets"
        for frame in frames:
            known = self.decoder.known(frame)
            if known.drop or self._is_past(frame):
                continue
            if self._reorders and self._varies:
                self._let_go(frame.pts)
                self._held = frame, known
            else:
                self._send_one(frame, known)
        return len(frames)

    def _is_past(self, frame: Any) -> bool:
        """It was decoded only to get to the picture of this moment."""
        if self._shown_from is None or frame.pts is None:
            return False
        if frame.pts < self._shown_from:
            return True
        self._shown_from = None
        return False

    def _let_go(self, next: int | None = None) -> None:
        """Sends the frame that is held; it is shown up to `next`, or as long as its packet says."""
        if self._held is not None:
            held, self._held = self._held, None
            self._send_one(*held, next)

    def _send_one(self, frame: Any, known: Known, next: int | None = None) -> None:
        pid = self._announce(frame)
        time = frame.pts
        if time is None:  # a decode time is none of showing, except for the first frame
            time = self._next if self._next is not None else frame.dts or 0
        if self.video:
            duration = frame.duration or self._step
            if next is not None and next > time:
                duration = next - time
        else:
            duration = rescale(frame.samples, frame.sample_rate, self.decoder.timescale)
        self._next = time + (duration or 0)
        frame.pts = time
        payload = CodecFrame(frame)
        packet = Packet(payload, time, time, duration, 1, payload.size)
        packet.seek = known.seek or (self._from is not None and time < self._from)
        packet.corrupted = known.corrupted or self._is_smeared(frame, time) or frame.is_corrupt
        if self.video and frame.is_corrupt and self._smeared_from is None:
            self._smeared_from = time  # what refers to it shows the damage, too
        packet.discontinuity = known.discontinuity or self._resumed
        self._resumed = False
        packet.capture_time = known.capture_time
        packet.properties = known.properties
        pid.send(packet)

    def _announce(self, frame: Any) -> Pid:
        """The output PID, which says how this frame is made."""
        if self.video:
            now: tuple[Any, ...] = (
                frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range,
                frame.color_primaries, frame.color_trc, frame.rotation,
            )  # fmt: skip
        else:
            now = frame.sample_rate, frame.format.name, frame.layout.name
        pid = self._pid.output
        if now == self._format and pid is not None:
            return pid
        self._format = now
        if not self._told_software:
            self._told_software = True
            self._tell_hardware()
        given = {name: value for name, value in self._given.items() if name not in CODED_ONLY}
        if self.video:
            said = picture_properties(frame, self.decoder.sample_aspect or given.get("SAR"))
            said["Rotate"] = said["Rotate"] or given.get("Rotate")
        else:
            said = sound_properties(frame)
        said["CodecID"] = "raw"
        said["Timescale"] = self.decoder.timescale
        return self._filter.output_for(self._pid, {**given, **said})

    def _tell_hardware(self) -> None:
        name = self._filter.hwaccel
        if self.decoder.on_hardware:
            self._filter.status = f"decodes with {name}"
        else:
            self._filter.status = f"decodes in software: {name} cannot"
            log.warning(
                "%s: %s cannot decode %s here: software does", self._filter.name, name, self.decoder.codec
            )
