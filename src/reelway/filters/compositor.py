"""`compositor`: several films in one picture, each with a place, a size and a transparency of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from reelway.errors import OptionError
from reelway.filters.grid import Grid
from reelway.filters.mixer import checked_pads, pad_of
from reelway.filters.places import Place, paste
from reelway.graph.link import Link
from reelway.graph.option import Size, option
from reelway.media.packet import Packet

__all__ = ["Compositor"]

CHECKER = 8, 80, 160
"""Pixels of a field of the background, and its two greys."""


class Compositor(Grid):
    """`grid`, with settings for each input that may change at any time, from one picture to the next.

    Without a size of its own the whole is as large as the places that its inputs have at the beginning.
    """

    registry_name = "compositor"

    pads: Mapping[str, Mapping[str, Any]] = option(
        {},
        kind=object,
        live=True,
        help="of each input, by its number: {'sink_0': {'xpos': 10, 'ypos', 'width', 'height', 'alpha', "
        "'zorder', 'sizing-policy'}}",
    )
    width: int = option(0, low=0, unit="pixels", help="of the whole; 0: as the places of the inputs have it")
    height: int = option(0, low=0, unit="pixels", help="of the whole; 0: as the places of the inputs have it")
    checker: bool = option(False, help="a background of grey fields")

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        checked_pads("compositor", self.pads)
        if self.places:
            raise OptionError("compositor has pads, no places", hint="or use grid")

    def updated(self, name: str) -> None:
        self._laid_out = ()  # the next picture is laid out anew

    def _natural_size(self, width: int, height: int) -> Size:
        places = self._places()
        return Size(
            self.width or max(1, *(at.left + at.width for at in places)),
            self.height or max(1, *(at.top + at.height for at in places)),
        )

    def _places(self) -> Sequence[Place]:
        return [self._place(pid, pad_of(self.pads, self.number_of(pid))) for pid in self.ipids]

    def _place(self, pid: Link, said: Mapping[str, Any]) -> Place:
        width, height = int(said.get("width", -1)), int(said.get("height", -1))
        return Place(
            int(said.get("xpos", 0)),
            int(said.get("ypos", 0)),
            width if width > 0 else pid.properties["Width"],
            height if height > 0 else pid.properties["Height"],
        )

    def _lay_out(self) -> None:
        super()._lay_out()
        if self.checker:
            side, dark, light = CHECKER
            lines, columns = numpy.arange(self._size.height), numpy.arange(self._size.width)
            odd = (lines[:, None] // side + columns[None, :] // side) % 2
            grey = numpy.where(odd, light, dark).astype(numpy.uint8)
            drawn = self._samples.planes(numpy.repeat(grey[:, :, None], 3, axis=2))
            for plane, part in zip(self._back.planes(writable=True), drawn, strict=True):
                plane[:] = part.reshape(plane.shape)

    def _keeps_shape(self, pid: Link) -> bool:
        return pad_of(self.pads, self.number_of(pid)).get("sizing-policy") == "keep-aspect-ratio"

    def _composed(self) -> Packet:
        assert self._next is not None
        frame = self._back.copy()
        targets = frame.planes(writable=True)
        tall, wide = self._samples.grid
        for pid, said in self._in_depth():
            drawn, place = pid.data.planes, pid.data.place
            if drawn is None:
                continue
            top = (place.top + (place.height - drawn[0].shape[0]) // 2) // tall * tall
            left = (place.left + (place.width - drawn[0].shape[1]) // 2) // wide * wide
            alpha = float(said.get("alpha", 1.0))
            for plane, target, (down, across) in zip(drawn, targets, self._samples.subsampling, strict=True):
                paste(plane, target, top // down, left // across, alpha)
        ticks = self._rate.denominator
        number = self._next
        return Packet(frame, number * ticks, number * ticks, ticks, 1, frame.size)

    def _in_depth(self) -> list[tuple[Link, Mapping[str, Any]]]:
        """The inputs, the lowest first, with what is said of each."""
        numbers = {pid: self.number_of(pid) for pid in self.ipids}
        said = [(pid, pad_of(self.pads, number)) for pid, number in numbers.items()]
        return sorted(said, key=lambda each: (int(each[1].get("zorder", numbers[each[0]])), numbers[each[0]]))
