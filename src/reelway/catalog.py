"""The catalogue: every filter by name, as "module:Class". Nothing is imported before it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reelway.errors import UnknownNameError, UnsupportedError

if TYPE_CHECKING:
    from reelway.graph.filter import Filter

ENTRY_POINTS = "reelway.filters"
"""The group in which other packages register filters: name = "module:Class"."""

FILTERS: dict[str, str] = {
    "appsink": "reelway.filters.appsink:AppSink",
    "appsource": "reelway.filters.appsource:AppSource",
    "audiosink": "reelway.display.sound:AudioSink",
    "avfilter": "reelway.engine.avfilter:AVFilter",
    "avgen": "reelway.filters.testaudio:AvGen",
    "balance": "reelway.filters.balance:Balance",
    "bitstream": "reelway.engine.bitstream:Bitstream",
    "box": "reelway.filters.box:Box",
    "bytesink": "reelway.filters.bytesink:ByteSink",
    "bytesource": "reelway.filters.bytesource:ByteSource",
    "call": "reelway.filters.simple:Call",
    "compositor": "reelway.filters.compositor:Compositor",
    "concat": "reelway.filters.concat:Concat",
    "convert": "reelway.engine.convert:Convert",
    "crop": "reelway.filters.crop:Crop",
    "decode": "reelway.engine.decode:Decode",
    "decoded": "reelway.filters.decoded:Decoded",
    "demux": "reelway.engine.demux:Demux",
    "encode": "reelway.engine.encode:Encode",
    "fakesource": "reelway.filters.fakesource:FakeSource",
    "filesequence": "reelway.filters.filesequence:FileSequence",
    "flip": "reelway.filters.flip:Flip",
    "forward": "reelway.filters.simple:Forward",
    "freeze": "reelway.filters.freeze:Freeze",
    "funnel": "reelway.filters.selectors:Funnel",
    "gate": "reelway.filters.gate:Gate",
    "grid": "reelway.filters.grid:Grid",
    "identity": "reelway.filters.identity:Identity",
    "inspect": "reelway.filters.inspect:Inspect",
    "interval": "reelway.filters.interval:Interval",
    "keyframes": "reelway.filters.keyframes:Keyframes",
    "level": "reelway.filters.level:Level",
    "live": "reelway.engine.live:Live",
    "mix": "reelway.filters.mix:Mix",
    "mixer": "reelway.filters.mixer:Mixer",
    "motion": "reelway.filters.motion:Motion",
    "multifile": "reelway.filters.filesequence:MultiFile",
    "mux": "reelway.engine.mux:Mux",
    "null": "reelway.filters.simple:Null",
    "outputselector": "reelway.filters.selectors:OutputSelector",
    "pad": "reelway.filters.crop:Pad",
    "panorama": "reelway.filters.panorama:Panorama",
    "parse": "reelway.filters.passing:Parse",
    "picture": "reelway.filters.overlay:Picture",
    "queue": "reelway.filters.queue:Queue",
    "rate": "reelway.filters.rate:Rate",
    "rawaudio": "reelway.filters.passing:RawAudio",
    "rawvideo": "reelway.filters.passing:RawVideo",
    "reframer": "reelway.filters.reframer:Reframer",
    "resample": "reelway.engine.resample:Resample",
    "rtpsink": "reelway.engine.rtpsink:RtpSink",
    "selector": "reelway.filters.selectors:Selector",
    "share": "reelway.share.sink:Share",
    "shared": "reelway.share.source:Shared",
    "tape": "reelway.record.tape:Tape",
    "tee": "reelway.filters.simple:Tee",
    "testaudio": "reelway.filters.testaudio:TestAudio",
    "testvideo": "reelway.filters.testvideo:TestVideo",
    "text": "reelway.filters.overlay:Text",
    "valve": "reelway.filters.identity:Valve",
    "videosink": "reelway.display.window:VideoSink",
    "volume": "reelway.filters.volume:Volume",
}

ALIASES: dict[str, str] = {
    "aout": "audiosink",
    "bsf": "bitstream",
    "enc": "encode",
    "ffavf": "avfilter",
    "ffbsf": "bitstream",
    "ffdec": "decode",
    "ffenc": "encode",
    "ffsws": "convert",
    "scale": "convert",
    "vout": "videosink",
}

CONVERTERS: dict[str, int] = {
    "bitstream": 10,
    "convert": 5,
    "decode": 20,
    "encode": 100,
    "rate": 5,
    "resample": 5,
}
"""What the resolver may put between two filters by itself, with the cost of each."""


def names() -> list[str]:
    """All names, aliases left out; those of other packages too."""
    return sorted({*FILTERS, *(entry.name for entry in _installed())})


def find(name: str) -> type[Filter]:
    """The filter class called `name`. Raises UnknownNameError that names the near ones."""
    target = FILTERS.get(ALIASES.get(name, name))
    if target is None:
        for entry in _installed():
            if entry.name == name:
                return _checked(name, entry.load())
        raise UnknownNameError.of(
            "filter", name, [*names(), *ALIASES], hint="`reelway filters` lists them all"
        )
    module, _, attribute = target.partition(":")
    return _checked(name, getattr(import_module(module), attribute))


def _installed() -> Any:
    """The entry points of other packages; looked for only where no name of our own fits, as it takes long."""
    from importlib.metadata import entry_points

    return entry_points(group=ENTRY_POINTS)


def _checked(name: str, found: object) -> type[Filter]:
    from reelway.graph.filter import Filter

    if not (isinstance(found, type) and issubclass(found, Filter)):
        raise UnsupportedError(f"the filter {name} is registered as {found!r}, which is no Filter class")
    return found
