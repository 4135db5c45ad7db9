"""The namespace GstBase: classes that elements written in Python inherit from."""

from __future__ import annotations

from typing import Any, ClassVar

from reelway.compat.gst.caps import Caps
from reelway.compat.gst.constants import ENUMERATIONS
from reelway.compat.gst.names import namespace_getattr, show_as
from reelway.compat.gst.pads import PadDirection
from reelway.compat.gst.programmed import ProgrammedElement
from reelway.elements.declare import base_sink, base_src
from reelway.elements.kinds import Property

__all__ = ["BASE_TRANSFORM_FLOW_DROPPED", "BaseSink", "BaseSrc", "BaseTransform", "PushSrc"]

BASE_TRANSFORM_FLOW_DROPPED: Any = ENUMERATIONS["FlowReturn"].CUSTOM_SUCCESS
"""What do_transform_ip() returns for a buffer that shall not go on."""


class BaseTransform(ProgrammedElement):
    """One buffer in, one out: `do_transform_ip(buffer)`, or `do_transform(inbuf, outbuf)`.

    Further: do_start, do_stop, do_set_caps(incaps, outcaps), do_transform_caps(direction, caps, filter),
    do_fixate_caps(direction, caps, othercaps). Called on the pipeline's thread.
    """

    _klass = "Filter"
    _long_names: ClassVar[tuple[str, ...]] = ("gst_base_transform",)
    _pads = (("sink", PadDirection.SINK), ("src", PadDirection.SRC))
    passthrough = False

    def _filter_class(self) -> Any:
        from reelway.compat.gst.hooks import TransformFilter

        return TransformFilter

    def set_passthrough(self, passthrough: bool) -> None:
        """Buffers go on unchanged; do_transform_ip() still sees them."""
        self.passthrough = passthrough

    def is_passthrough(self) -> bool:
        """As `set_passthrough()` said."""
        return self.passthrough

    def set_in_place(self, in_place: bool) -> None:
        """Nothing: which method there is says so."""

    set_gap_aware = set_prefer_passthrough = set_qos_enabled = set_in_place

    def is_in_place(self) -> bool:
        """True where there is a do_transform_ip()."""
        return self.hook("do_transform_ip") is not None


class BaseSrc(ProgrammedElement):
    """Makes buffers: do_create(offset, length, None) gives (FlowReturn, buffer).

    Or `do_fill(offset, length, buffer)`, which writes into a buffer that is there. FlowReturn.EOS ends.
    Further: do_start, do_stop, do_get_caps(filter), do_fixate(caps), do_set_caps(caps).
    """

    _klass = "Source"
    _long_names: ClassVar[tuple[str, ...]] = ("gst_base_src",)
    _more: ClassVar[tuple[Property, ...]] = base_src()
    _caps_options = {name: name for name in ("format", "width", "height", "framerate", "rate", "channels")}
    _pads = (("src", PadDirection.SRC),)
    live = do_timestamp = False
    timed = False
    """set_format(Format.TIME) was said: offsets mean nothing."""
    source_caps: Caps | None = None
    _places = True
    """Its methods get offset and length."""

    def _filter_class(self) -> Any:
        from reelway.compat.gst.hooks import SourceFilter

        return SourceFilter

    def set_live(self, live: bool) -> None:
        """It makes buffers in real time: do_create() may wait."""
        self.live = live

    def is_live(self) -> bool:
        """As `set_live()` said."""
        return self.live

    def set_do_timestamp(self, timestamp: bool) -> None:
        """Buffers without a time get that of their making."""
        self.do_timestamp = timestamp

    def set_format(self, format: Any) -> None:
        """Whether it counts in time or in bytes."""
        self.timed = format == ENUMERATIONS["Format"].TIME

    def set_caps(self, caps: Caps) -> bool:
        """What it makes."""
        self.source_caps = caps
        return True

    def set_blocksize(self, blocksize: int) -> None:
        """Bytes that do_fill() gets where caps do not say."""
        self._core.set("blocksize", blocksize)

    def set_automatic_eos(self, automatic_eos: bool) -> None:
        """Nothing: EOS is what do_create() returns."""

    set_async = set_dynamic_size = set_automatic_eos


class PushSrc(BaseSrc):
    """BaseSrc without offsets: `do_create()` returns (FlowReturn, buffer); or `do_fill(buffer)`.

    gi itself wants these called do_gst_push_src_create(buffer) and do_gst_push_src_fill(buffer).
    """

    _long_names: ClassVar[tuple[str, ...]] = ("gst_push_src", "gst_base_src")
    _places = False


class BaseSink(ProgrammedElement):
    """Takes buffers: `do_render(buffer)`, when their time has come unless sync=false.

    Further: do_start, do_stop, do_set_caps(caps).
    """

    _klass = "Sink"
    _long_names: ClassVar[tuple[str, ...]] = ("gst_base_sink",)
    _more: ClassVar[tuple[Property, ...]] = base_sink()
    _pads = (("sink", PadDirection.SINK),)

    def _filter_class(self) -> Any:
        from reelway.compat.gst.hooks import SinkFilter

        return SinkFilter

    def set_sync(self, sync: bool) -> None:
        """Whether buffers wait for their time."""
        self.set_property("sync", sync)

    def get_sync(self) -> bool:
        """Whether buffers wait for their time."""
        return bool(self.get_property("sync"))

    def set_async_enabled(self, enabled: bool) -> None:
        """Nothing: a pause waits for the first buffer."""

    set_last_sample_enabled = set_qos_enabled = set_async_enabled


_LATER = {
    "Adapter": "join bytes in Python",
    "Aggregator": "compositor and audiomixer mix; in Python, a rw.Filter with several inputs",
    "BaseParse": "parsers such as h264parse are there; in Python, GstBase.BaseTransform",
    "BitReader": "read bits in Python",
    "ByteReader": "use struct",
    "CollectPads": "compositor and audiomixer mix; in Python, a rw.Filter with several inputs",
}

show_as("GstBase", {name: globals()[name] for name in __all__})
__getattr__ = namespace_getattr("GstBase", lambda: __all__, _LATER)
