"""The namespace GstApp: buffers to and from the application."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import reelway as rw
from reelway.compat.gst.buffers import Buffer, Sample, buffer_of, packet_of
from reelway.compat.gst.caps import Caps
from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.elements import Element
from reelway.compat.gst.enums import GEnum, enumerations
from reelway.compat.gst.layouts import properties_of
from reelway.compat.gst.names import namespace_getattr, show_as
from reelway.compat.gst.segments import Segment
from reelway.compat.gst.signals import SignalSpec
from reelway.filters.bytesink import coded_header
from reelway.graph.link import Link
from reelway.media.packet import Packet
from reelway.session.application.element import Element as CoreElement

NONE: int = CONSTANTS["CLOCK_TIME_NONE"]
SECOND = 1_000_000_000
FlowReturn: Any = ENUMERATIONS["FlowReturn"]
UNBOUNDED = 1 << 30

_ENUMS = """
AppLeakyType GST_APP_LEAKY_TYPE_ NONE UPSTREAM DOWNSTREAM
AppStreamType GST_APP_STREAM_TYPE_ STREAM SEEKABLE RANDOM_ACCESS
"""
_enums = enumerations("GstApp", _ENUMS, GEnum)
AppLeakyType, AppStreamType = _enums["AppLeakyType"], _enums["AppStreamType"]


class _Samples(rw.AppSink):
    """The filter of an appsink: what it takes is what its caps say, and each packet is told of."""

    def __init__(self, face: AppSink, **options: Any) -> None:
        self._face = face
        self._stale = False
        self.skipped = 0
        """Packets that a seek has made stale."""
        super().__init__(**options)

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        wanted = self._face._core.get("caps")
        if wanted:
            from reelway.graph.mediaformats import to_bundles

            self.inputs = to_bundles(Caps(wanted).media()) or self.inputs  # type: ignore[misc,assignment]

    def flush(self) -> None:
        """Throws away what waits, and what comes before the streams start again; from any thread."""
        self._stale = True
        self._face._waiting = None
        while self._box.poll() is not None:
            pass
        if self.opened:
            self.wake()

    def process(self) -> float | None:
        if self._stale:
            for pid in self.ipids:
                while pid.get() is not None:
                    self.skipped += 1
        return super().process()

    def restarted(self, pid: Link) -> None:
        self._stale = False
        super().restarted(pid)

    def _keep(self, packet: Packet, pid: Link) -> None:
        if self._stale:
            self.skipped += 1
            return
        super()._keep(packet, pid)
        self._face._arrived()

    def ended(self, pid: Link) -> None:
        super().ended(pid)
        if all(link.ended for link in self.ipids):
            self._face._ended()


class AppSink(Element):
    """`appsink`: `pull_sample()`, or the signal new-sample with emit-signals=true."""

    __gsignals__ = {
        name: SignalSpec(name, arguments=(object,) * count)
        for name, count in {
            "pull-sample": 0,
            "pull-preroll": 0,
            "try-pull-sample": 1,
            "try-pull-preroll": 1,
        }.items()
    }

    def _bind(self, core: CoreElement) -> None:
        super()._bind(core)
        core.kind = replace(core.kind, maker=partial(_Samples, self))
        self._waiting: tuple[Any, Sample] | None = None
        """The filter that gave it, and what `pull_preroll()` has seen."""

    @property
    def _filter(self) -> _Samples | None:
        found = self._core.filter
        return found if isinstance(found, _Samples) else None

    def _listen(self, spec: SignalSpec) -> None:
        """Its filter tells; there is nothing to be connected."""

    def _arrived(self) -> None:
        if self._core.get("emit-signals"):
            self.__dict__["_handlers"].run(SignalSpec("new-sample", arguments=None), "", self, ())

    def _ended(self) -> None:
        self.__dict__["_handlers"].run(SignalSpec("eos", arguments=None), "", self, ())

    def emit(self, signal_name: str, *args: Any) -> Any:
        """Signals, and what gi calls so: pull-sample, try-pull-sample, pull-preroll."""
        match signal_name, args:
            case "pull-sample", ():
                return self.pull_sample()
            case "pull-preroll", ():
                return self.pull_preroll()
            case "try-pull-sample", (timeout,):
                return self.try_pull_sample(timeout)
            case "try-pull-preroll", (timeout,):
                return self.try_pull_preroll(timeout)
        return super().emit(signal_name, *args)

    def pull_sample(self) -> Sample | None:
        """The next sample; waits for it. None: the stream is over, or nothing is open."""
        return self.try_pull_sample(NONE)

    def try_pull_sample(self, timeout: int) -> Sample | None:
        """The next sample, waiting up to `timeout` ns; None: there is none."""
        sink = self._filter
        if sink is None:
            return None
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting[0] is sink:
            return waiting[1]
        packet = sink.poll()
        if packet is None and not self._root().on_own_thread() and timeout:
            with contextlib.suppress(rw.DeadlineError):
                packet = sink.pull(None if timeout == NONE else timeout / SECOND)
        return None if packet is None else self._sample(packet, sink.properties)

    def pull_preroll(self) -> Sample | None:
        """The first sample, which `pull_sample()` then gives again."""
        return self.try_pull_preroll(NONE)

    def try_pull_preroll(self, timeout: int) -> Sample | None:
        """The first sample, waiting up to `timeout` ns; None: there is none."""
        sample = self.try_pull_sample(timeout)
        if sample is not None:
            self._waiting = self._filter, sample
        return sample

    @staticmethod
    def _sample(packet: Packet, stream: Mapping[str, Any]) -> Sample:
        from reelway.graph.mediaformats import of_properties

        buffer = buffer_of(packet, stream)
        if packet.sap and stream.get("DecoderConfigMode") == "in-band":
            data = bytes(packet.data)  # as in GStreamer's byte-stream, a keyframe brings what decodes it
            buffer._memory = coded_header(stream, data) + data
        return Sample(buffer, Caps(of_properties(stream)), Segment.of_time())

    def is_eos(self) -> bool:
        """The stream is over, and everything was pulled."""
        return self._filter is None or self._filter.over

    def get_caps(self) -> Caps | None:
        """What it takes."""
        found: Caps | None = self.get_property("caps")
        return found

    def set_caps(self, caps: Caps | None) -> None:
        """What it takes; upstream is converted to it."""
        self.set_property("caps", caps)

    def set_max_buffers(self, max: int) -> None:
        """So many wait; 0: any number."""
        self.set_property("max-buffers", max)

    def set_drop(self, drop: bool) -> None:
        """Whether the oldest goes when it is full."""
        self.set_property("drop", drop)

    def set_emit_signals(self, emit: bool) -> None:
        """Whether new-sample is sent."""
        self.set_property("emit-signals", emit)

    def get_max_buffers(self) -> int:
        """So many wait; 0: any number."""
        return int(self.get_property("max-buffers"))

    def get_drop(self) -> bool:
        """Whether the oldest goes when it is full."""
        return bool(self.get_property("drop"))

    def get_emit_signals(self) -> bool:
        """Whether new-sample is sent."""
        return bool(self.get_property("emit-signals"))


class _Pushed(rw.AppSource):
    """The filter of an appsrc: asks for data when it has none, in bounds as the element says."""

    def __init__(self, face: AppSrc, **options: Any) -> None:
        self._face = face
        options |= {"properties": face._stream, "max_packets": face._room()}
        super().__init__(**options)
        self.taken = 0

    def process(self) -> float | None:
        for _ in range(self.quantum):
            super().process()
            if self.blocked or len(self._box) or self._box.closed:
                return None
            if not self._face._ask():
                return None
            if not len(self._box) and not self._box.closed:
                return None
        self.wake()
        return None


class AppSrc(Element):
    """`appsrc`: `push_buffer()`, with caps that say what it is."""

    __gsignals__ = {
        name: SignalSpec(name, arguments=(object,) * count)
        for name, count in {"push-buffer": 1, "push-sample": 1, "end-of-stream": 0}.items()
    }

    def _bind(self, core: CoreElement) -> None:
        super()._bind(core)
        core.kind = replace(core.kind, maker=partial(_Pushed, self))
        self._lock = threading.Lock()
        self._pushed = 0
        self._full = False

    @property
    def _filter(self) -> _Pushed | None:
        found = self._core.filter
        return found if isinstance(found, _Pushed) else None

    @property
    def _stream(self) -> dict[str, Any]:
        """What its caps say, in Reelway's properties, and the ticks of its times."""
        text = self._core.get("caps")
        if not text:
            return {}
        stream = properties_of(Caps(text).media())
        fps, rate = stream.get("FPS"), stream.get("SampleRate")
        ticks = fps.numerator * -(-90000 // fps.numerator) if fps else rate or 90000
        return {**stream, "Timescale": ticks}

    def _room(self) -> int:
        """How many packets wait: without block=true any number, as enough-data tells."""
        if not self._core.get("block"):
            return UNBOUNDED
        return int(self._core.get("max-buffers")) or 8

    def _listen(self, spec: SignalSpec) -> None:
        """Its filter asks; there is nothing to be connected."""
        if self._filter is not None:
            self._filter.wake()

    def _ask(self) -> bool:
        """Sends need-data; False: nobody listens."""
        self._full = False
        handlers = self.__dict__["_handlers"]
        if not handlers.wanted("need-data"):
            return False
        handlers.run(SignalSpec("need-data", arguments=None), "", self, (4096,))
        return True

    def emit(self, signal_name: str, *args: Any) -> Any:
        """Signals, and what gi calls so: push-buffer, push-sample, end-of-stream."""
        match signal_name, args:
            case "push-buffer", (buffer,):
                return self.push_buffer(buffer)
            case "push-sample", (sample,):
                return self.push_sample(sample)
            case "end-of-stream", ():
                return self.end_of_stream()
        return super().emit(signal_name, *args)

    def push_buffer(self, buffer: Buffer) -> Any:
        """Gives a buffer: FlowReturn.OK; FLUSHING where nothing is open, EOS after the end.

        With block=true it waits for room. Raises PacketError where the bytes are too few for its caps.
        """
        if not isinstance(buffer, Buffer):
            raise TypeError(f"argument buffer: Expected Gst.Buffer, but got {type(buffer).__name__}")
        source = self._filter
        if source is None:
            return FlowReturn.FLUSHING
        stream = self._stream
        packet = packet_of(buffer, stream) if stream else packet_of(buffer, {"Timescale": SECOND})
        if buffer.pts == NONE:
            packet.dts = packet.cts = None
        try:
            source.push(packet)
        except rw.StateError:
            return FlowReturn.EOS if source._box.closed == "no push() after end()" else FlowReturn.FLUSHING
        self._tell_if_full(source, buffer)
        return FlowReturn.OK

    def _tell_if_full(self, source: _Pushed, buffer: Buffer) -> None:
        most = int(self._core.get("max-bytes"))
        if most and not self._full and source.waiting * max(1, buffer.get_size()) >= most:
            self._full = True
            self.__dict__["_handlers"].run(SignalSpec("enough-data", arguments=None), "", self, ())

    def push_sample(self, sample: Sample) -> Any:
        """Gives a sample's buffer, and its caps where they are new."""
        caps = sample.get_caps()
        if caps is not None and str(caps.media()) != self._core.get("caps"):
            self.set_caps(caps)
        buffer = sample.get_buffer()
        return FlowReturn.OK if buffer is None else self.push_buffer(buffer)

    def push_buffer_list(self, buffer_list: Any) -> Any:
        """Gives several."""
        said = FlowReturn.OK
        for number in range(buffer_list.length()):
            said = self.push_buffer(buffer_list.get(number))
        return said

    def end_of_stream(self) -> Any:
        """No more comes."""
        source = self._filter
        if source is None:
            return FlowReturn.FLUSHING
        source.end()
        return FlowReturn.OK

    def get_caps(self) -> Caps | None:
        """What is pushed."""
        found: Caps | None = self.get_property("caps")
        return found

    def set_caps(self, caps: Caps | None) -> None:
        """What is pushed from now on."""
        self.set_property("caps", caps)

    def set_stream_type(self, type: Any) -> None:
        """Whether it can seek; kept."""
        self.set_property("stream-type", int(type))

    def set_size(self, size: int) -> None:
        """How many bytes there will be; kept."""
        self.set_property("size", size)

    def set_max_bytes(self, max: int) -> None:
        """enough-data is sent when so many wait."""
        self.set_property("max-bytes", max)

    def set_emit_signals(self, emit: bool) -> None:
        """Kept: need-data and enough-data are sent to who connects."""
        self.set_property("emit-signals", emit)

    def get_current_level_bytes(self) -> int:
        """About how many bytes wait."""
        return self._filter.waiting if self._filter is not None else 0


__all__ = ["AppLeakyType", "AppSink", "AppSrc", "AppStreamType"]

show_as("GstApp", {name: globals()[name] for name in __all__})
__getattr__ = namespace_getattr("GstApp", lambda: __all__, {})
