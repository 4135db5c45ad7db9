"""Marks in a chain: they pass on what they are for, so that the resolver converts in front of them."""

from __future__ import annotations

from typing import Any

from reelway.filters.simple import Forward
from reelway.graph.caps import Caps
from reelway.graph.option import option

__all__ = ["Parse", "RawAudio", "RawVideo"]


class RawVideo(Forward):
    """Passes raw pictures on, whatever their format."""

    registry_name = "rawvideo"
    inputs = (Caps(StreamType="Visual", CodecID="raw"),)
    outputs = inputs


class RawAudio(Forward):
    """Passes raw sound on, whatever its format."""

    registry_name = "rawaudio"
    inputs = (Caps(StreamType="Audio", CodecID="raw"),)
    outputs = inputs


class Parse(Forward):
    """Passes streams of some codecs on; packets are whole pictures and frames of sound already."""

    registry_name = "parse"

    codecs: list[str] = option([], kind=list[str], help="the codecs; empty: all")

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        if self.codecs:
            self.inputs = (Caps(CodecID=self.codecs),)  # type: ignore[misc]  # of this one
