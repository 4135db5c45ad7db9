"""What filters of raw pictures have in common: properties on, planes in, a new frame out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from reelway.filters.colour import INTERLEAVED_422, usual_matrix
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.media.packet import Packet

__all__ = ["RAW_PICTURES", "PictureFilter", "keep_matrix", "without_gaps"]

log = logging.getLogger("reelway.filters")

RAW_PICTURES = Caps(StreamType="Visual", CodecID="raw", PixelFormat=Not(*INTERLEAVED_422))
"""Pictures whose planes can be cut and pasted anywhere on the grid of their chroma."""


def without_gaps(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of pictures in memory of our own, whose lines follow each other."""
    return {name: value for name, value in properties.items() if name not in ("Stride", "StrideUV")}


def keep_matrix(before: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """`made`, saying the colour matrix where its size would let people guess another one than before."""
    yuv = str(made.get("PixelFormat")).startswith(("yuv", "nv", "p0", "p2", "p4"))
    if yuv and not made.get("ColorMatrix") and usual_matrix(made) != usual_matrix(before):
        made["ColorMatrix"] = usual_matrix(before)
    return made


class PictureFilter(Filter):
    """Makes one picture of one. A subclass says what it makes (`made`) and how (`change`).

    Takes any number of streams, each on its own.
    """

    inputs = (RAW_PICTURES,)
    outputs = (Caps(StreamType="Visual", CodecID="raw"),)

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties of the output for an input with these, which name format, width and height."""
        return without_gaps(properties)

    def change(self, packet: Packet, pid: Link) -> Packet | None:
        """What is sent for `packet`, which is the filter's; None: nothing."""
        raise NotImplementedError

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        known = all(isinstance(properties.get(name), int) for name in ("Width", "Height"))
        if not known or not isinstance(properties.get("PixelFormat"), str):
            return super().plan(properties)  # not decoded yet
        return [keep_matrix(properties, self.made(properties))]

    def configure(self, pid: Link) -> None:
        self.output_for(pid, keep_matrix(pid.properties, self.made(pid.properties)))

    def updated(self, name: str) -> None:
        for pid in self.ipids:
            if pid.configured:
                self.configure(pid)

    def process(self) -> float | None:
        for pid in self.ipids:
            output = pid.output
            if output is None:
                continue
            for packet in pid:
                changed = self.change(packet, pid)
                if changed is not None:
                    output.send(changed)
        return None

    def say(self, text: str) -> None:
        """Tells, in `status` and once in the log, what was done differently from what was asked."""
        if text != self.status:
            self.status = text
            log.info("%s: %s", self.name, text)
