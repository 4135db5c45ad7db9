"""Raw frames of av as payloads, and any raw payload as a frame of av.

Decoders keep the pictures that later ones refer to, encoders those they have not coded yet: who may write is
FFmpeg's to say, by the references that it counts. A view holds such a reference, so that writing into the
frame leaves alone what somebody still looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import av
import numpy

from reelway.engine.rawformat import layout_name
from reelway.engine.through import Through
from reelway.errors import PacketError, UnsupportedError
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array, Layout, layout_of, picture_layout, sound_layout
from reelway.media.packet import Packet
from reelway.media.payload import Frame

__all__ = ["AvFrames", "CodecFrame", "channel_layout"]

_PACKED = {"gray", "rgb24", "bgr24", "rgba", "bgra", "argb", "abgr"}
_USUAL_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_TWO_TO_ONE = {"yuv420p", "yuvj420p", "nv12"}


class CodecFrame(Frame):
    """A picture or a piece of sound of av.

    Planes are views: they hold FFmpeg's buffers, or the frame, and stay as they are whatever is done later.
    `take()` gives the av frame itself, which from then on belongs to its taker.
    """

    __slots__ = ("__weakref__", "_frame", "_own", "_seen")

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self._own = False
        """Its buffers are its alone: made writable, and not handed out since."""
        self._seen = False
        """There may be views that hold the frame and not its buffers."""

    @property
    def format(self) -> str:
        return str(self._frame.format.name)

    @property
    def layout(self) -> Layout:
        """How it would lie in one piece of memory. UnsupportedError for formats that are no arrays."""
        frame = self._frame
        if isinstance(frame, av.AudioFrame):
            return sound_layout(frame.format.name, frame.layout.nb_channels, frame.samples)
        return picture_layout(frame.format.name, frame.width, frame.height)

    @property
    def size(self) -> int:
        try:
            return self.layout.size
        except UnsupportedError:
            return sum(plane.buffer_size for plane in self._frame.planes)

    def planes(self, writable: bool = False) -> list[Array]:
        layout = self.layout
        if isinstance(self._frame, av.AudioFrame):
            found = self._sound_views(layout)
        elif self._own:
            found = self._picture_views(layout)
        else:
            found = self._held_views(layout)
        if not writable:
            for plane in found:
                plane.flags.writeable = False
        return found

    def make_writable(self) -> None:
        if self._own:
            return
        if self._seen:  # FFmpeg would take the memory away from under the views
            self._frame = _copied(self._frame)
        else:
            self._frame.make_writable()
        self._own, self._seen = True, False

    def copy(self) -> CodecFrame:
        new = CodecFrame(_copied(self._frame))
        new._own = True
        return new

    def view(self) -> memoryview:
        layout, planes = self.layout, self.planes()
        if len(planes) == 1 and planes[0].flags.c_contiguous:
            return planes[0].data.cast("B") if planes[0].size else memoryview(b"")
        memory = bytearray(layout.size)
        for target, plane in zip(layout.views(memory), planes, strict=True):
            target[...] = plane
        return memoryview(memory).toreadonly()

    def take(self) -> Any:
        """The av frame: its times and tags may be changed, its samples only after `make_writable()`."""
        self._seen, self._own = self._seen or self._own, False
        return self._frame

    def _held_views(self, layout: Layout) -> list[Array]:
        """Views that hold a reference to FFmpeg's buffers; of the frame where av cannot make such."""
        found: list[Array] = []
        for plane, wanted in zip(self._frame.planes, layout.planes, strict=True):
            try:
                found.append(numpy.from_dlpack(plane))
            except (NotImplementedError, TypeError, ValueError, BufferError):
                break
            if found[-1].shape != wanted.shape:
                break
        else:
            return found
        self._seen = True
        return self._picture_views(layout)

    def _picture_views(self, layout: Layout) -> list[Array]:
        item = int(layout.dtype[-1])
        found = []
        for plane, (_, _, shape) in zip(self._frame.planes, layout.planes, strict=True):
            line: int = plane.line_size
            inner = (item,) if len(shape) == 2 else (shape[-1] * item, item)
            view: Array = numpy.ndarray(shape, layout.dtype, plane, 0, (abs(line), *inner))
            found.append(view if line >= 0 else view[::-1])  # the last line comes first in memory
        return found

    def _sound_views(self, layout: Layout) -> list[Array]:
        self._seen = self._seen or not self._own
        if not layout.size:
            return layout.views(bytearray())
        planes = self._frame.planes
        return [numpy.ndarray(p.shape, layout.dtype, b) for p, b in zip(layout.planes, planes, strict=True)]

    def __repr__(self) -> str:
        return f"<CodecFrame {self._frame!r}>"


class AvFrames:
    """Gives av frames for the raw packets of one stream, laid out as its properties say.

    What it gives belongs to who asked: times and tags may be set. The samples are shared with whoever else
    holds the payload, and are not to be written.
    """

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self.properties = properties
        self._graphs: dict[tuple[Any, ...], Through] = {}

    def of(self, packet: Packet) -> Any:
        """An av frame with the samples of `packet`: itself, a reference, or a copy plane by plane."""
        payload = packet.payload
        if isinstance(payload, CodecFrame):
            frame = payload.take()
            return self._reference(frame) if packet.shared else frame
        if isinstance(payload, MemoryFrame):
            layout, memory = payload.layout, payload.memory
        else:
            memory = packet._view()
            layout = layout_of(self.properties, packet.size)
        if memoryview(memory).nbytes < layout.size:
            raise PacketError(f"{packet!r} is too small: {layout.format} takes {layout.size} bytes")
        if self.properties.get("StreamType") == "Audio":
            return self._sound(layout, memory)
        return _picture(layout, memory)

    def _sound(self, layout: Layout, memory: Any) -> Any:
        properties = self.properties
        samples = layout.planes[0].shape[0]
        frame = av.AudioFrame(layout.format, channel_layout(properties), samples)
        frame.sample_rate = properties["SampleRate"]
        if samples:
            for plane, samples_of in zip(frame.planes, layout.views(memory), strict=True):
                target: Array = numpy.ndarray(samples_of.shape, layout.dtype, plane)  # type: ignore[arg-type]
                target[...] = samples_of
        return frame

    def _reference(self, frame: Any) -> Any:
        """A second av frame on the same buffers: only a filter graph of FFmpeg's gives one."""
        sound = isinstance(frame, av.AudioFrame)
        key = (
            (frame.format.name, frame.sample_rate, frame.layout.name)
            if sound
            else (frame.format.name, frame.width, frame.height, frame.colorspace, frame.color_range)
        )
        graph = self._graphs.get(key)
        if graph is None:
            graph = self._graphs[key] = Through(frame)
        return graph.one(frame)


def channel_layout(properties: Mapping[str, Any]) -> Any:
    """The av layout of a stream: the one it names, else the usual one for so many channels."""
    name, channels = properties.get("ChannelLayout"), properties.get("NumChannels")
    if name:
        try:
            found = av.AudioLayout(name)
            if layout_name(found) and (not channels or found.nb_channels == channels):
                return found
            channels = channels or found.nb_channels
        except ValueError:
            pass
    if not channels:
        raise UnsupportedError("sound without NumChannels or ChannelLayout cannot be read")
    return av.AudioLayout(_USUAL_LAYOUTS.get(channels, f"{channels}C"))


def _picture(layout: Layout, memory: Any) -> Any:
    planes = layout.views(memory)
    first = planes[0]
    height, width = first.shape[:2]
    name = layout.format
    whole_steps = not width % 16  # else swscale reads behind the last line
    if name in _PACKED and whole_steps:
        return av.VideoFrame.from_numpy_buffer(first, format=name, width=width)
    if name in _TWO_TO_ONE and whole_steps and not height % 2 and _in_one_piece(layout):
        stride = layout.planes[0].stride
        whole: Array = numpy.ndarray((height * 3 // 2, stride), numpy.uint8, memory)
        return av.VideoFrame.from_numpy_buffer(whole, format=name, width=width)
    frame = CodecFrame(av.VideoFrame(width, height, name))
    frame._own = True
    for target, plane in zip(frame.planes(writable=True), planes, strict=True):
        target[...] = plane
    return frame.take()


def _in_one_piece(layout: Layout) -> bool:
    """True where the lines of chroma take as much memory as the format says, and no line is odd."""
    luma, *chroma = layout.planes
    line = luma.stride // 2 if len(chroma) == 2 else luma.stride
    return not luma.stride % 2 and all(plane.stride == line for plane in chroma)


def _copied(frame: Any) -> Any:
    """A frame with samples, times and tags of `frame` in memory of its own. numpy lets go of the GIL."""
    if isinstance(frame, av.AudioFrame):
        sound: Any = av.AudioFrame(frame.format.name, frame.layout, frame.samples)
        sound.sample_rate = frame.sample_rate
        if frame.samples:
            for target, plane in zip(sound.planes, frame.planes, strict=True):
                target.update(memoryview(plane)[: target.buffer_size])
        _copy_times(sound, frame)
        return sound
    picture: Any = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for mine, theirs in zip(picture.planes, frame.planes, strict=True):
        line = min(abs(mine.line_size), abs(theirs.line_size))
        _rows(mine)[:, :line] = _rows(theirs)[:, :line]
    for name in ("colorspace", "color_range", "color_trc", "color_primaries", "pict_type"):
        setattr(picture, name, getattr(frame, name))
    _copy_times(picture, frame)
    return picture


def _rows(plane: Any) -> Array:
    line: int = plane.line_size
    rows: Array = numpy.frombuffer(plane, numpy.uint8).reshape(-1, abs(line))
    return rows if line >= 0 else rows[::-1]


def _copy_times(target: Any, source: Any) -> None:
    target.pts, target.dts, target.duration = source.pts, source.dts, source.duration
    if source.time_base is not None:
        target.time_base = source.time_base
