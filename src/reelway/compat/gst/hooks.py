"""The filters of elements written in Python: they call the methods that a program wrote.

What such a method raises ends the pipeline with an error on the bus.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import reelway as rw
from reelway.compat.gst.buffers import Buffer, buffer_of, packet_of
from reelway.compat.gst.caps import Caps
from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.layouts import gst_layout, properties_of
from reelway.compat.gst.programmed import ProgrammedElement, bundles_of
from reelway.graph.link import Link
from reelway.graph.pid import Pid
from reelway.media.packet import Packet

if TYPE_CHECKING:
    from reelway.graph import caps as graph_caps

__all__ = ["SinkFilter", "SourceFilter", "TransformFilter"]

NONE: int = CONSTANTS["CLOCK_TIME_NONE"]
SECOND = 1_000_000_000
FlowReturn: Any = ENUMERATIONS["FlowReturn"]
PadDirection: Any = ENUMERATIONS["PadDirection"]
DROPPED = FlowReturn.CUSTOM_SUCCESS


def _caps_of(stream: Mapping[str, Any]) -> Caps:
    from reelway.graph.mediaformats import of_properties

    return Caps(of_properties(stream))


def _flow(said: Any, what: str) -> Any:
    """The FlowReturn that a method gave; None is OK. Raises StateError for what is an error."""
    flow = FlowReturn.OK if said is None else FlowReturn(int(said))
    if flow < FlowReturn.EOS:
        raise rw.StateError(f"{what}() returned {flow.value_name}")
    return flow


class _Programmed(rw.Filter):
    """What the three share: the element, its start and its stop."""

    def __init__(self, face: ProgrammedElement, **options: Any) -> None:
        self.face = face
        self.asked = options
        """What the caps filters behind a source ask of it."""
        super().__init__()

    def open(self) -> None:
        start = self.face.hook("do_start")
        if start is not None and start() is False:
            raise rw.StateError(f"{self.name}: do_start() returned False")

    def close(self) -> None:
        stop = self.face.hook("do_stop")
        if stop is not None:
            stop()

    def set_caps(self, *caps: Caps) -> None:
        """Tells the element what flows. Raises LinkError where it does not want it."""
        hook = self.face.hook("do_set_caps")
        if hook is not None and hook(*caps) is False:
            raise rw.LinkError(f"{self.name} does not accept {caps[0]}", hint="do_set_caps() returned False")


class SinkFilter(_Programmed):
    """Calls `do_render(buffer)`."""

    max_inputs = 1

    def __init__(self, face: ProgrammedElement, **options: Any) -> None:
        self.inputs: list[graph_caps.Caps] = bundles_of(face.template_caps("sink"))  # type: ignore[misc]
        super().__init__(face, **options)

    def configure(self, pid: Link) -> None:
        self.set_caps(_caps_of(pid.properties))

    def process(self) -> float | None:
        render = self.face.hook("do_render")
        for pid in self.ipids:
            for packet in pid:
                if render is not None:
                    _flow(render(buffer_of(packet, pid.properties)), "do_render")
        return None


class TransformFilter(_Programmed):
    """Calls `do_transform_ip(buffer)`, or `do_transform(buffer, made)`."""

    max_inputs = 1

    def __init__(self, face: ProgrammedElement, **options: Any) -> None:
        self.inputs: list[graph_caps.Caps] = bundles_of(face.template_caps("sink"))  # type: ignore[misc]
        self.outputs: list[graph_caps.Caps] = bundles_of(face.template_caps("src"))  # type: ignore[misc]
        super().__init__(face, **options)

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        made = self._made(_caps_of(properties))
        return [properties if made.is_any() else {**properties, **properties_of(made.media())}]

    def configure(self, pid: Link) -> None:
        given = _caps_of(pid.properties)
        made = self._made(given)
        self.set_caps(given, made)
        if made.is_any() or made.is_equal(given):
            self.output_for(pid, dict(pid.properties))
        else:
            kept = {name: value for name, value in pid.properties.items() if not name.startswith("Stride")}
            self.output_for(pid, {**kept, **properties_of(made.media())})

    def _made(self, given: Caps) -> Caps:
        """What comes out where `given` comes in. Raises LinkError where nothing could."""
        allowed = self.face.template_caps("src")
        change = self.face.hook("do_transform_caps")
        found = given if change is None else change(PadDirection.SINK, given, allowed)
        found = found.intersect(allowed)
        if found.is_empty():
            found = _filled(allowed, given)
        if found.is_any():
            return found  # bytes of which nothing is known
        if not found.is_fixed():
            fixate = self.face.hook("do_fixate_caps")
            found = found if fixate is None else fixate(PadDirection.SINK, given, found)
            found = found.fixate()
        return found

    def process(self) -> float | None:
        for pid in self.ipids:
            assert pid.output is not None  # made in configure()
            for packet in pid:
                changed = self._changed(packet, pid)
                if changed is not None:
                    pid.output.send(changed)
        return None

    def _changed(self, packet: Packet, pid: Link) -> Packet | None:
        in_place, whole = self.face.hook("do_transform_ip"), self.face.hook("do_transform")
        assert pid.output is not None
        buffer = buffer_of(packet, pid.properties)
        if whole is not None and not getattr(self.face, "passthrough", False):
            made = self._room_for(buffer, pid)
            if _flow(whole(buffer, made), "do_transform") == DROPPED:
                return None
            return packet_of(made, pid.output.properties)
        if in_place is not None and _flow(in_place(buffer), "do_transform_ip") == DROPPED:
            return None
        return packet_of(buffer, pid.properties) if buffer.touched() else packet

    def _room_for(self, buffer: Buffer, pid: Link) -> Buffer:
        assert pid.output is not None
        made = Buffer.new_allocate(None, _size_of(pid.output.properties) or buffer.get_size())
        made.pts, made.dts, made.duration = buffer.pts, buffer.dts, buffer.duration
        made.set_flags(buffer.get_flags())
        return made


def _filled(allowed: Caps, given: Caps) -> Caps:
    """The first of `allowed`, with the fields that only `given` says."""
    made = allowed.truncate()
    if made.get_size() and given.get_size():
        structure, known = made[0], given[0]
        for name in known.keys() - {"format"}:
            if not structure.has_field(name) or not made.is_fixed():
                structure.set_value(name, known[name])
    return made


def _size_of(stream: Mapping[str, Any]) -> int:
    """Bytes of a picture; 0 where it is none."""
    if stream.get("CodecID") != "raw" or stream.get("StreamType") != "Visual":
        return 0
    return gst_layout(stream["PixelFormat"], stream["Width"], stream["Height"]).size


class SourceFilter(_Programmed):
    """Calls `do_create()` or `do_fill(buffer)` for each buffer."""

    def __init__(self, face: ProgrammedElement, **options: Any) -> None:
        self.outputs: list[graph_caps.Caps] = bundles_of(face.template_caps("src"))  # type: ignore[misc]
        super().__init__(face, **options)
        if getattr(face, "live", False):
            self.thread = "own"
        self._out: Pid | None = None
        self._next = Fraction(0)
        self._sent = 0
        self._offset = 0
        """Bytes made so far."""
        self._begun_ns = 0

    def open(self) -> None:
        super().open()
        caps = self._negotiated()
        self.set_caps(caps)
        stream: dict[str, Any] = {"StreamType": "File"}
        if not caps.is_any():
            stream = properties_of(caps.media())
        fps, rate = stream.get("FPS"), stream.get("SampleRate")
        ticks = fps.numerator * -(-90000 // fps.numerator) if fps else rate or 90000
        self._out = self.new_pid("src", **stream, Timescale=ticks)
        self._begun_ns = time.monotonic_ns()

    def _negotiated(self) -> Caps:
        allowed = self.face.template_caps("src")
        own = self.face.hook("do_get_caps")
        if own is not None:
            allowed = allowed.intersect(own(None) or Caps.new_any())
        said = getattr(self.face, "source_caps", None)
        if said is not None:
            allowed = allowed.intersect(said)
        asked = self._asked_caps(allowed)
        found = allowed.intersect(asked) if asked is not None else allowed
        if found.is_empty():
            found = allowed
        if found.is_any() or found.is_fixed():
            return found
        fixate = self.face.hook("do_fixate")
        found = found if fixate is None else fixate(found.truncate()) or found
        return found.fixate()

    def _asked_caps(self, allowed: Caps) -> Caps | None:
        """What the caps filters behind it ask for, in the first media type that it can make."""
        if not self.asked or not allowed.get_size():
            return None
        from reelway.graph.mediaformats import PIXEL_FORMATS, SAMPLE_FORMATS

        names = {theirs: ours for ours, theirs in {**PIXEL_FORMATS, **SAMPLE_FORMATS}.items()}
        asked = Caps.new_empty_simple(allowed[0].get_name())
        for name, value in self.asked.items():
            if value is not None:
                from reelway.compat.gst.values import from_media

                asked[0].set_value(name, names.get(value, value) if name == "format" else from_media(value))
        return asked

    def process(self) -> float | None:
        out = self._out
        assert out is not None  # made in open()
        most = self.face._core.get("num-buffers")
        for _ in range(self.quantum):
            if self.blocked:
                return None
            buffer = None if 0 <= most <= self._sent else self._created()
            if buffer is None:
                out.end()
                return None
            self._sent += 1
            self._offset += buffer.get_size()
            out.send(self._packet(buffer, out))
        self.wake()
        return None

    def _created(self) -> Buffer | None:
        """The next buffer; None: that was all."""
        create, fill = self.face.hook("do_create"), self.face.hook("do_fill")
        places = getattr(self.face, "_places", True)
        offset = NONE if getattr(self.face, "timed", False) else self._offset
        if create is not None:
            said = _called(create, places, offset, 4096, None)
            flow, buffer = said if isinstance(said, tuple) else (said, None)
            return buffer if _flow(flow, "do_create") == FlowReturn.OK else None
        if fill is None:
            raise rw.StateError(f"{self.name} has no do_create() and no do_fill()")
        assert self._out is not None
        size = _size_of(self._out.properties) or int(self.face._core.get("blocksize"))
        buffer = Buffer.new_allocate(None, size)
        flow = _flow(_called(fill, places, offset, size, buffer), "do_fill")
        return buffer if flow == FlowReturn.OK else None

    def _packet(self, buffer: Buffer, out: Pid) -> Packet:
        stream = out.properties
        if getattr(self.face, "do_timestamp", False) and buffer.pts == NONE:
            buffer.pts = time.monotonic_ns() - self._begun_ns
        timed = buffer.pts != NONE
        packet = packet_of(buffer, stream)
        ticks: int = stream["Timescale"]
        if not timed:
            packet.dts = packet.cts = round(self._next * ticks)
        if packet.duration is None and stream.get("FPS"):
            packet.duration = round(ticks / stream["FPS"])
        self._next = Fraction((packet.cts or 0) + (packet.duration or 0), ticks)
        return packet


def _called(method: Callable[..., Any], places: bool, offset: int, length: int, buffer: Buffer | None) -> Any:
    """A method of BaseSrc, with offset and length, or of PushSrc, without; the last ones may be left out."""
    kinds = [each.kind for each in signature(method).parameters.values()]
    given = (offset, length, buffer) if places or len(kinds) > 1 else (buffer,)
    return method(*(given if Parameter.VAR_POSITIONAL in kinds else given[: len(kinds)]))
