"""`SwScaleFrameFilter`: pictures as RGB in another size."""

from __future__ import annotations

from typing import Any

import reelway as rw
from reelway.compat.valkka.frames import Frame, FrameFilter

__all__ = ["SwScaleFrameFilter"]


class SwScaleFrameFilter(FrameFilter):
    """Makes RGB of each raw picture, `width` times `height`: (name, width, height, next).

    The shape is not kept. What is no raw picture is let go by.
    """

    def __init__(self, name: str, width: int, height: int, next: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        if width < 1 or height < 1:
            raise rw.OptionError(f"{name}: {width}x{height} pixels", hint="at least 1x1")
        self.width, self.height = width, height
        self._streams: dict[tuple[int, int], tuple[Any, Any]] = {}
        """Slot and number -> its properties, and what converts it."""

    def run(self, frame: Frame) -> None:
        if self.next is not None and frame.kind == "Visual" and not frame.coded:
            self.next.run(self._scaled(frame))

    def _scaled(self, frame: Frame) -> Frame:
        from reelway.engine.frame import CodecFrame  # av comes with it

        which = frame.slot, frame.subsession
        said, tools = self._streams.get(which, (None, None))
        if tools is None or said is not frame.properties:
            tools = self._tools(frame.properties)
            self._streams[which] = frame.properties, tools
        converter, frames, properties = tools
        payload = CodecFrame(converter.convert(frames.of(frame.payload)))
        packet = rw.Packet(payload, size=payload.size)
        packet.copy_properties(frame.payload)
        return Frame(packet, frame.slot, frame.mstimestamp, properties, frame.subsession)

    def _tools(self, properties: Any) -> tuple[Any, Any, Any]:
        from reelway.engine.frame import AvFrames
        from reelway.engine.picture import PictureConverter

        converter = PictureConverter(
            properties,
            format="rgb24",
            width=self.width,
            height=self.height,
            turns=properties.get("Rotate") or 0,
        )
        made = {**properties, **converter.made}
        made = {name: value for name, value in made.items() if value is not None}
        return converter, AvFrames(properties), made
