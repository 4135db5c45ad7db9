"""`@video_filter` and `@audio_filter`: filters that are one function on arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy

from reelway.errors import OptionError, PacketError
from reelway.filters.arrays import picture_of, sound_of
from reelway.filters.frames import carry, frame_of
from reelway.filters.pictures import PictureFilter, keep_matrix, without_gaps
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.layout import Array, one_array
from reelway.media.origin import slot_of
from reelway.media.packet import Packet
from reelway.media.timebase import rescale

__all__ = ["PictureFunction", "SoundFunction", "audio_filter", "video_filter"]

GIVEN = ("packet", "pid", "time_s", "slot")
"""Further parameters that a function may have, by name."""

TAKES_AN_ARRAY = "its first parameter is the array: def invert(image): return 255 - image"

Kind = TypeVar("Kind", bound=Filter)


class _Function(PictureFilter):
    """What both kinds share: calling the function, and counting what it drops."""

    function: ClassVar[Callable[..., Any]]
    """The decorated function itself."""
    own_options: ClassVar[tuple[str, ...]] = ()
    given_names: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[bool] = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dropped = 0

    def result(self, packet: Packet, pid: Link) -> tuple[Array, Array | None]:
        """What the function was given, and what it returned."""
        packet.payload = frame_of(packet, pid.properties)
        if self.writes:
            given = one_array(packet.writable(), packet.payload.format)
        else:
            given = packet.array()
            given.flags.writeable = False
        more = {name: getattr(self, name) for name in self.own_options}
        for name in self.given_names:
            more[name] = _GIVE[name](packet, pid)
        returned = type(self).function(given, **more)
        if returned is None:
            self.dropped += 1
            self.status = f"{self.dropped} dropped"
        elif not isinstance(returned, numpy.ndarray):
            raise PacketError(
                f"{self.name} returned {type(returned).__name__}",
                hint="it returns an array to be sent on, or None for nothing",
            )
        return given, returned


class PictureFunction(_Function):
    """A function of a picture: what it returns is sent on, None is nothing."""

    makes: ClassVar[str] = "rgb24"

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {**without_gaps(properties), "PixelFormat": self.makes}

    def change(self, packet: Packet, pid: Link) -> Packet | None:
        given, returned = self.result(packet, pid)
        if returned is None:
            return None
        if returned is given and len(packet.planes()) == 1 and self.makes == packet.payload.format:
            return packet
        frame, width, height = picture_of(returned, self.makes, copy=False)
        output = pid.output
        assert output is not None
        if (output.properties["Width"], output.properties["Height"]) != (width, height):
            output.set(**keep_matrix(pid.properties, {**output.properties, "Width": width, "Height": height}))
        return carry(packet, frame)


class SoundFunction(_Function):
    """A function of a piece of sound: what it returns is sent on, None is nothing."""

    outputs = (Caps(StreamType="Audio", CodecID="raw"),)

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [properties]

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return dict(properties)

    def change(self, packet: Packet, pid: Link) -> Packet | None:
        given, returned = self.result(packet, pid)
        if returned is None:
            return None
        if returned is given and len(packet.planes()) == 1:
            return packet
        made = carry(packet, sound_of(returned, pid.properties["AudioFormat"], copy=False))
        channels = returned.shape[1] if returned.ndim == 2 else 1
        output = pid.output
        assert output is not None
        if output.properties["NumChannels"] != channels:
            output.set(NumChannels=channels, ChannelLayout=None)
        rate = pid.properties["SampleRate"]
        made.duration = rescale(returned.shape[0], rate, pid.properties.get("Timescale") or rate)
        return made


def video_filter(
    function: Callable[..., Array | None] | None = None,
    /,
    *,
    pixel_format: str = "rgb24",
    makes: str = "",
    writable: bool = False,
) -> Any:
    """Makes a filter class of a function of one picture: `session.add(invert())`.

        @rw.video_filter(pixel_format="rgb24")
        def invert(image, strength=1.0):
            return numpy.uint8(image + strength * (255.0 - 2.0 * image))

        session.add(invert(strength=0.5))

    The array has the shape of `packet.array()`: rgb24 (lines, columns, 3), gray (lines, columns), yuv420p
    (lines * 3 / 2, columns); uint8, or what the format has. **What the function returns is sent on, at the
    same time; None is sent nowhere, and counted in `dropped`.** The array that is returned is given away:
    make a new one each time, or return the one that came. It may have another size, and is of format
    `makes`, where that is given.

    The array that comes is only to be read; with `writable=True` it may be written, being copied before
    where somebody else reads it, and has to be returned like any other.

    Parameters called `packet`, `pid`, `time_s` (seconds of the stream) and `slot` (number or name that the
    source was given) are given by name; others need defaults, and become live options of the filter. The
    function itself stays as `invert.function`.
    """
    wanted = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": pixel_format}
    made = makes or pixel_format
    facts = {"makes": made, "outputs": (Caps(StreamType="Visual", CodecID="raw", PixelFormat=made),)}
    return _decorator(function, PictureFunction, wanted, writable, facts)


def audio_filter(
    function: Callable[..., Array | None] | None = None,
    /,
    *,
    sample_format: str = "flt",
    sample_rate: int = 0,
    channels: int = 0,
    writable: bool = False,
) -> Any:
    """Makes a filter class of a function of (samples, channels), by default float32 of -1 to 1.

    The rules are those of `video_filter`. Another number of samples changes the duration of the packet, not
    its time. `sample_rate` and `channels` ask for sound like that; 0 takes what comes.
    """
    asked = {"AudioFormat": sample_format, "SampleRate": sample_rate, "NumChannels": channels}
    wanted = {"StreamType": "Audio", "CodecID": "raw", **{n: value for n, value in asked.items() if value}}
    return _decorator(function, SoundFunction, wanted, writable, {})


def _decorator(
    function: Callable[..., Any] | None,
    kind: type[_Function],
    wanted: Mapping[str, Any],
    writable: bool,
    facts: Mapping[str, Any],
) -> Any:
    def decorate(function: Callable[..., Any]) -> type[_Function]:
        return _class_of(function, kind, {"inputs": (Caps(**wanted),), "writes": writable, **facts})

    return decorate if function is None else decorate(function)


def _class_of(function: Callable[..., Any], kind: type[_Function], facts: dict[str, Any]) -> type[_Function]:
    name = getattr(function, "__name__", type(function).__name__)
    _, *more = _parameters(function, name)
    for parameter in more:
        if parameter.name in GIVEN or parameter.kind is parameter.VAR_KEYWORD:
            continue
        if parameter.default is parameter.empty:
            raise OptionError(
                f"{name}() has a parameter {parameter.name} without a default",
                hint=f"{', '.join(GIVEN)} are given by name; others are options, and need one",
            )
        if hasattr(kind(), parameter.name):  # also what instances have
            raise OptionError(
                f"{name}() has a parameter {parameter.name}, which every filter has", hint="call it otherwise"
            )
        default = parameter.default
        facts[parameter.name] = option(
            default, kind=object if default is None else type(default), live=True, help=f"of {name}()"
        )
    return type(
        name,
        (kind,),
        {
            "__doc__": inspect.getdoc(function) or f"The function {name}() as a filter.",
            "__module__": function.__module__,
            "registry_name": name,
            "function": staticmethod(function),
            "own_options": tuple(each for each in facts if each in {p.name for p in more}),
            "given_names": tuple(p.name for p in more if p.name in GIVEN),
            **facts,
        },
    )


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    """Those of `function`, the first of which takes the array. Raises OptionError."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # no function, or one of C that does not say
        raise OptionError(f"nothing says what {name}() takes", hint=TAKES_AN_ARRAY) from None
    if not found or found[0].kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD):
        raise OptionError(f"{name}() takes no array", hint=TAKES_AN_ARRAY)
    return found


def _seconds(packet: Packet, pid: Link) -> float | None:
    time = packet.cts if packet.cts is not None else packet.dts
    return None if time is None else time / (pid.properties.get("Timescale") or 1)


_GIVE: dict[str, Callable[[Packet, Link], Any]] = {
    "packet": lambda packet, _: packet,
    "pid": lambda _, pid: pid,
    "time_s": _seconds,
    "slot": lambda packet, pid: slot_of(packet, pid.properties),
}
