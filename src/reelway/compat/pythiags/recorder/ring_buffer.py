"""`RingBuffer`: what a recorder keeps from before an event, and the elements in front of that."""

from __future__ import annotations

from reelway.compat.pythiags.recorder.chains import before

__all__ = ["RingBuffer"]


class RingBuffer:
    """To be inherited from, with a RINGBUFFER_BIN_STRING of one's own, which ends with an appsink.

    src_tee_name      the element that it hangs on
    window_size_sec   so much is kept [s]
    """

    RINGBUFFER_BIN_STRING = """
        queue name=ringbuffer_input_queue
        ! capsfilter name=ringbuffer_input_capsfilter caps=video/x-raw,format=I420
        ! appsink name=ringbuffer_appsink emit-signals=true async=false
    """

    def __init__(self, src_tee_name: str, window_size_sec: float) -> None:
        self.src_tee_name = src_tee_name
        self.window_size_sec = window_size_sec

    @property
    def chain(self) -> str:
        """The elements in front of the ring. Raises PipelineError, OptionError."""
        return before(self.RINGBUFFER_BIN_STRING, "appsink", f"{type(self).__name__}.RINGBUFFER_BIN_STRING")
