"""`RecordBin`: the elements between a recorder's ring and its file."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from reelway.compat.pythiags.recorder.chains import before, behind

__all__ = ["RecordBin"]


class RecordBin:
    """To be inherited from, with a RECORD_BIN_STRING of one's own, from an appsrc to a filesink.

    filename_generator   gives the path of each file
    timeout_sec          taken, and without effect: nothing is polled
    """

    RECORD_BIN_STRING = """
        appsrc name=appsrc emit-signals=true is-live=true do-timestamp=true format=time caps={caps}
        ! vp8enc name=encoder deadline=1
        ! webmmux name=muxer
        ! filesink name=filesink location={sink_location}
    """

    def __init__(
        self, filename_generator: Callable[[], str | PathLike[str]], timeout_sec: float = 1.0
    ) -> None:
        self.filename_generator = filename_generator
        self.timeout_sec = timeout_sec

    @property
    def chain(self) -> str:
        """The elements from the encoder to the muxer; empty: those that suit the file name best."""
        if self.RECORD_BIN_STRING == RecordBin.RECORD_BIN_STRING:
            return ""
        where = f"{type(self).__name__}.RECORD_BIN_STRING"
        text = self.RECORD_BIN_STRING.format(caps="ANY", sink_location="clip", element_name="clip")
        return behind(before(text, "filesink", where), "appsrc", where)
