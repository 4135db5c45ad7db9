"""`RingBuffer`: what the recorder keeps from before an event; it comes later."""

from __future__ import annotations

from typing import Any

from reelway.compat.pythiags.recorder import later

__all__ = ["RingBuffer"]


class RingBuffer:
    """May be inherited from, with a RINGBUFFER_BIN_STRING of one's own; making one raises."""

    RINGBUFFER_BIN_STRING = """
        queue name=ringbuffer_input_queue
        ! capsfilter name=ringbuffer_input_capsfilter caps=video/x-raw,format=I420
        ! appsink name=ringbuffer_appsink emit-signals=true async=false
    """

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        raise later(type(self).__name__)
