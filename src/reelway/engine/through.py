"""Frames through a filter graph of FFmpeg's, and back out with their own ticks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import av

__all__ = ["Through"]


class Through:
    """A filter graph of FFmpeg's for pictures or sound like `frame`; ticks pass as they are.

    `filters` are names and arguments of what lies in it; without any, what comes out are references.
    """

    def __init__(self, frame: Any, *filters: tuple[str, str]) -> None:
        graph = self._graph = av.filter.Graph()  # its filters die with it
        if isinstance(frame, av.AudioFrame):
            self._source: Any = graph.add(
                "abuffer",
                sample_rate=str(frame.sample_rate),
                sample_fmt=frame.format.name,
                channel_layout=frame.layout.name,
                time_base="1/1000000000",
            )
            self._sink: Any = graph.add("abuffersink")
        else:
            self._source = graph.add(
                "buffer",
                video_size=f"{frame.width}x{frame.height}",
                pix_fmt=frame.format.name,
                time_base="1/1000000000",
                pixel_aspect="1/1",
                colorspace=str(int(frame.colorspace)),
                range=str(int(frame.color_range)),
            )
            self._sink = graph.add("buffersink")
        between = [graph.add(name, arguments or None) for name, arguments in filters]
        for here, there in pairwise([self._source, *between, self._sink]):
            here.link_to(there)
        graph.configure()

    def one(self, frame: Any) -> Any:
        """What becomes of `frame`, which stays as it is, in a graph that gives one for one."""
        self._source.push(frame)
        return self._sink.pull()

    def some(self, frame: Any | None) -> list[Any]:
        """The frames that are ready after `frame`; after None, the last ones."""
        self._source.push(frame)
        found = []
        while True:
            try:
                found.append(self._sink.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return found
