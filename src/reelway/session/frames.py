"""`rw.frames(src)`: decoded frames of one stream, one after the other, or any of them by time or number."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from inspect import signature
from time import time_ns
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reelway.errors import OptionError, StateError, UnknownNameError, UnsupportedError
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.media.origin import slot_of
from reelway.media.packet import Packet
from reelway.session.newest import Newest, running
from reelway.session.session import Session

if TYPE_CHECKING:
    from reelway.media.layout import Array

AHEAD = 2
"""Frames that are ready before they are asked for: each holds a picture in memory."""
CLOSE_S = 1.5
"""So long `frames_async()` waits for its session to close; what hangs in C then is given up in any case."""
_TICK = 1e-3
"""Part of a tick that a time in seconds may be short by, because it is a float."""


class Frame(NamedTuple):
    """One decoded frame. It is the caller's: who keeps it keeps its memory."""

    packet: Packet
    properties: dict[str, Any]
    """Those of its PID: Width, Height, PixelFormat, FPS ... or SampleRate, AudioFormat ..."""

    @property
    def array(self) -> Array:
        """All samples: (lines, columns, components) or (samples, channels), see `Packet.array`; read-only."""
        return self.packet.array()

    @property
    def time(self) -> float:
        """When it is shown [s from the start of the media]."""
        start = float(self.properties.get("StartTime", 0))
        timescale: int = self.properties["Timescale"]
        return (self.packet.cts or 0) / timescale - start

    @property
    def duration(self) -> float | None:
        """How long it is shown [s]; None where the source does not say."""
        ticks = self.packet.duration
        return None if ticks is None else ticks / self.properties["Timescale"]

    @property
    def slot(self) -> int | str | None:
        """The number or name that the source was given: `rw.frames("rtsp://camera/1:slot=front")`."""
        return slot_of(self.packet, self.properties)

    @property
    def age_s(self) -> float | None:
        """How long ago it was captured [s], by the clock of this machine; None where nobody says when."""
        captured = self.packet.capture_time
        return None if captured is None else (time_ns() - captured) / 1e9

    def planes(self) -> list[Array]:
        """One read-only view a plane."""
        return self.packet.planes()

    def writable(self) -> Any:
        """One plane, or all planes, that may be changed; copied only where a decoder still refers to them."""
        planes = self.packet.writable()
        return planes[0] if len(planes) == 1 else planes


class Frames:
    """Iterates over the frames of one stream; `frames.at(time_s)` and `frames[number]` decode just one.

    Each use reads the source anew, a file object with `seek()` from its beginning; one without can be read
    once. The session runs in the caller's thread, while a frame is waited for; that of a live source runs in
    a thread of its own, and a loop that takes its time gets the newest frame. `times` and `frames[number]`
    first read the whole source, without decoding it. There is no `len(frames)`, for list() and `if` would ask
    for it: `len(frames.times)` does that.
    """

    def __init__(
        self,
        src: Any,
        wanted: Caps,
        selector: str,
        start_s: float,
        end_s: float | None,
        session: dict[str, Any],
        keeper: tuple[str, dict[str, Any]] | None = None,
    ) -> None:
        """`keeper`: name and options of a converter that keeps to what is wanted whatever comes."""
        self.src = src
        self._wanted = wanted
        self._keeper = keeper
        self._selector = selector
        self._start_s, self._end_s = start_s, end_s
        self._session = session
        self._times: list[float] | None = None
        self._use: Literal["none yet", "now", "over"] = "none yet"
        """Of a source that is a file object."""

    def __iter__(self) -> Iterator[Frame]:
        return self._shown()

    def _shown(self, tell: Callable[[Session], None] | None = None) -> Generator[Frame, None, None]:
        """What `__iter__` gives; `tell` gets the session before it begins."""
        with closing(self._play(self._start_s, self._end_s, tell)) as played:
            for frame in played:
                if not frame.packet.seek:
                    yield frame

    def at(self, time_s: float) -> Frame:
        """The frame that is shown at `time_s` [s from the start of the media].

        Before the first frame that is the first one. Raises OptionError behind the end.
        """
        if time_s != time_s:
            raise OptionError("a frame is asked for at nan s", hint="seconds from the start of the media")
        shown: Frame | None = None
        with closing(self._play(max(0.0, time_s), None)) as played:
            for frame in played:
                if shown is not None and frame.time > time_s + _TICK / frame.properties["Timescale"]:
                    return shown
                shown = frame
        if shown is None or time_s > shown.time + (shown.duration or 0):
            raise OptionError(f"nothing is shown at {time_s:.3f} s", hint="the source ends before that")
        return shown

    def __getitem__(self, number: int) -> Frame:
        """The frame with that place in `times`. Raises IndexError, and OptionError for a slice."""
        if isinstance(number, slice):  # type: ignore[unreachable]
            raise OptionError(
                "frames are taken by one number, not by a slice",
                hint="itertools.islice(frames, 1, 3), or rw.frames(..., start_s=1.0, end_s=2.0)",
            )
        return self.at(self.times[number])

    @property
    def times(self) -> list[float]:
        """When each frame from `start_s` to `end_s` is shown [s], in order, as the packets say.

        Read once, nothing is decoded. Raises UnsupportedError for a live source, which has no end.
        """
        if self._times is None:
            sink = _Times()
            with self._source(), self._opened(sink) as session:
                _begin(session, self._start_s, self._end_s)
                session.run()
            self._times = sorted(sink.times)
        return self._times

    def _play(
        self, start_s: float, end_s: float | None, tell: Callable[[Session], None] | None = None
    ) -> Generator[Frame, None, None]:
        sink = _Frames(self._wanted)
        with self._source(), self._opened(sink, self._keeper) as session:
            if tell is not None:
                tell(session)
            _begin(session, start_s, end_s)
            if _may_be_live(session.filters[0]):
                with closing(running(session, sink)) as taken:
                    yield from (Frame(*each) for each in taken)
                return
            while session.run_until(sink.has_some):
                yield sink.next()

    @contextmanager
    def _source(self) -> Iterator[None]:
        """A file object is at its beginning then. Raises StateError where that cannot be."""
        src = self.src
        if not hasattr(src, "read"):
            yield
            return
        if self._use == "now":
            raise StateError(
                f"{src!r} is being read, and has one place to read at",
                hint="finish or close() the loop over these frames first, or give rw.frames() a path",
            )
        if _seekable(src):
            src.seek(0)
        elif self._use == "over":
            raise StateError(
                f"{src!r} has been read, and cannot be sought in",
                hint="one loop can read it; for more, put its bytes into a file or an io.BytesIO",
            )
        self._use = "now"
        try:
            yield
        finally:
            self._use = "over"

    def _opened(self, sink: Filter, keeper: tuple[str, dict[str, Any]] | None = None) -> Session:
        session = Session(**self._session)
        source = session.load_src(self.src)
        if keeper is None:
            session.add(sink).set_source(source, self._selector)
        else:
            name, options = keeper
            converter = session.load(name, **options)
            converter.set_source(source, self._selector)
            session.add(sink).set_source(converter)
        return session


def _begin(session: Session, start_s: float, end_s: float | None) -> None:
    session.link()
    if start_s > 0 or end_s is not None:
        session.play(start_s, end_s)


def _seekable(file: Any) -> bool:
    seekable = getattr(file, "seekable", None)
    return hasattr(file, "seek") and (seekable is None or bool(seekable()))


def _may_be_live(source: Filter) -> bool:
    """It does not wait for who takes its frames; one that is not there yet is tried again and again."""
    return not source.opids or any(pid.properties.get("Live") for pid in source.opids)


class _Frames(Newest):
    """Holds a few frames for who asks for them, where they do not grow old."""

    def __init__(self, wanted: Caps) -> None:
        super().__init__(wanted)
        self._ready: deque[Frame] = deque()

    def process(self) -> float | None:
        if self.on_demand:
            return super().process()
        for link in self.ipids:
            while len(self._ready) < AHEAD and (packet := link.get()) is not None:
                self._ready.append(Frame(packet, link.properties))
        return None

    def has_some(self) -> bool:
        return bool(self._ready)

    def next(self) -> Frame:
        if len(self._ready) == AHEAD:
            self.wake()
        return self._ready.popleft()


class _Times(Filter):
    """Notes when the packets of a stream are shown."""

    inputs = (Caps(CodecID=Not("raw")), Caps(CodecID="raw"))
    max_inputs = 1

    def __init__(self) -> None:
        super().__init__(name="times")
        self.times: list[float] = []

    def configure(self, pid: Link) -> None:
        if pid.properties.get("Live") or not getattr(pid.source, "ends", True):
            raise UnsupportedError(
                "a live source has no list of its frames: it does not end",
                hint="a loop over rw.frames() takes them as they come",
            )

    def process(self) -> float | None:
        for link in self.ipids:
            timescale, start = link.properties["Timescale"], float(link.properties.get("StartTime", 0))
            self.times += [p.cts / timescale - start for p in link if p.cts is not None and not p.seek]
        return None


def frames(
    src: Any,
    *,
    stream: str = "video",
    pixel_format: str | Sequence[str] | None = None,
    width: int | None = None,
    height: int | None = None,
    sample_format: str | None = None,
    sample_rate: int | None = None,
    channels: int | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    upright: bool = True,
    fast: bool = False,
    **session: Any,
) -> Frames:
    """The decoded frames of one stream of `src`, a URL, path or Python file object.

    stream         which: video, video2, audio, PID=3 ... (a selector without its #)
    pixel_format   FFmpeg's name, or several to choose from; by default as the stream is coded
    width, height  pixels; with one of them the other keeps the shape. What is asked holds to the end, also
                   where the stream changes in the middle; what is not may be news with any frame
    sample_format, sample_rate, channels   of sound
    start_s, end_s part of the media [s from its start], exact to the frame; `times` and numbers are of that
    upright        pictures are turned as their rotation says
    fast           YUV becomes RGB several times quicker, and off by up to 3 of 255; else by 1 at most
    session        what `Session()` takes; with `policy="block"` every frame of a live source, as long as the
                   loop is no more than some seconds late

    Raises OptionError, UnknownNameError and TypeError at once for what is no value, format or option;
    ReelwayError when it is iterated over: OpenError, FormatError, LinkError ...
    """
    signature(Session).bind(**session)
    if end_s is not None and not start_s <= end_s:
        raise OptionError(f"frames from {start_s} s to {end_s} s: the end comes before the start")
    if not isinstance(stream, str):
        raise OptionError(f"stream is {stream!r}", hint="a name such as 'video', 'audio2' or 'PID=3'")
    from reelway.media.layout import PICTURE_FORMATS  # loads numpy, which frames need anyway

    for name in (pixel_format,) if isinstance(pixel_format, str) else pixel_format or ():
        if name not in PICTURE_FORMATS:
            raise UnknownNameError.of("pixel format", name, PICTURE_FORMATS)
    sizes = {"width": width, "height": height, "sample_rate": sample_rate, "channels": channels}
    for name, number in sizes.items():
        if isinstance(number, int) and number < 1:
            raise OptionError(f"{name} is {number}", hint="1 or more; or leave it out")
    sound = stream.startswith("audio")
    asked: dict[str, Any] = {
        "CodecID": "raw",
        "PixelFormat": pixel_format,
        "Width": width,
        "Height": height,
        "AudioFormat": sample_format,
        "SampleRate": sample_rate,
        "NumChannels": channels,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}
    strange = (pixel_format or width or height) if sound else (sample_format or sample_rate or channels)
    if strange:
        raise OptionError(f"the stream {stream!r} is asked for what only {'video' if sound else 'sound'} has")
    if upright and not sound:
        wanted["Rotate"] = Not(1, 2, 3)
    session["defaults"] = {"fast": fast, **(session.get("defaults") or {})}
    keeper = _keeper(sound, asked, upright)
    return Frames(src, Caps(**wanted), f"#{stream}", start_s, end_s, session, keeper)


def _keeper(sound: bool, asked: dict[str, Any], upright: bool) -> tuple[str, dict[str, Any]] | None:
    """A converter to what is asked: the stream may have it now and change later."""
    names = _SOUND if sound else _PICTURE
    options = {option: asked[name] for name, option in names.items() if asked[name] is not None}
    if not options or not all(isinstance(value, (str, int)) for value in options.values()):
        return None
    return ("resample", options) if sound else ("convert", {**options, "upright": upright})


_SOUND = {"AudioFormat": "format", "SampleRate": "rate", "NumChannels": "channels"}
_PICTURE = {"PixelFormat": "format", "Width": "width", "Height": "height"}


async def frames_async(src: Any, **options: Any) -> AsyncIterator[Frame]:
    """`frames()` for `async for`: decoded in a thread of its own, one frame ahead of the loop's body.

    Takes and raises what `frames()` does. Leaving the loop and cancelling close the source, and wait for that
    for CLOSE_S at most; the event loop never stands still.
    """
    loop = asyncio.get_running_loop()
    sessions: list[Session] = []
    left = False

    def keep(session: Session) -> None:
        sessions.append(session)
        if left:  # it was cancelled before there was a session to stop
            session.stop("none")

    thread = ThreadPoolExecutor(1, "reelway-frames")
    iterator = frames(src, **options)._shown(keep)

    def start() -> asyncio.Future[Frame | None]:
        future = loop.run_in_executor(thread, next, iterator, None)
        future.add_done_callback(_looked_at)
        return future

    try:
        following = start()
        while (frame := await following) is not None:
            following = start()
            yield frame
    finally:
        left = True
        for session in sessions:
            session.stop("none")  # a source that is silent would keep the thread
        closed = asyncio.wrap_future(thread.submit(iterator.close))
        closed.add_done_callback(_looked_at)
        thread.shutdown(wait=False)
        await asyncio.wait([closed], timeout=CLOSE_S)


def _looked_at(future: asyncio.Future[Any]) -> None:
    """What went wrong behind the end of the loop is nobody's: asyncio would log it."""
    if not future.cancelled():
        future.exception()
