"""`share`: a stream of a session, shared with readers in other processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.errors import DeadlineError, OptionError
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.packet import Packet
from reelway.share.content import sayable
from reelway.share.desk import Told
from reelway.share.place import check_name
from reelway.share.writer import Writer

__all__ = ["Share"]

TURN_S = 0.2
"""It waits for readers no longer than this at once: so soon it hears of `stop()`."""


class Share(Filter):
    """Shares one stream as `name=cam1`, which must be said: raw pictures, raw sound, or packets as they come.

    `pixel_format=rgb24`, or `sample_format=flt`, has it decoded and converted before it comes here. What the
    PID says, times, capture time, flags and the properties of packets (as metadata) go along. Readers with
    the policy `every` hold the session up, up to `patience`; with the end of the stream they are told so.
    """

    registry_name = "share"
    thread = "own"
    inputs = (Caps(),)
    max_inputs = 1

    pixel_format: str = option("", help="raw pictures of this format, rgb24 for one; empty: anything")
    sample_format: str = option("", help="raw sound of this format, flt for one; empty: anything")
    slots: int = option(10, low=2, help="frames that lie in memory at once; readers hold them")
    slot_bytes: int = option(0, low=0, unit="bytes", help="room for each; 0: as the frames need")
    max_bytes: int = option(1 << 30, low=1, unit="bytes", help="no more memory than this")
    patience: Seconds = option(
        5.0, low=0.001, unit="s", kind=Seconds, help="who holds all up for longer is cut off"
    )
    wait_readers: int = option(0, low=0, help="begins when so many readers are there")
    allow_users: list[int] = option([], kind=list[int], help="uids of other users who may read")

    def __init__(self, **options: Any) -> None:
        self.shared_name = name_in(options, "share")
        super().__init__(**options)
        self._writer: Writer | None = None
        self._awaited = False
        self._told: tuple[int, int, str] | None = None
        """What `status` says."""
        self._jumped = False
        """What comes next does not follow on what came last."""

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        if self.pixel_format and self.sample_format:
            raise OptionError("a share takes pictures or sound", hint="use two, one for each")
        wanted: dict[str, Any] = {}
        if self.pixel_format:
            wanted = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": self.pixel_format}
        elif self.sample_format:
            wanted = {"StreamType": "Audio", "CodecID": "raw", "AudioFormat": self.sample_format}
        self.inputs = (Caps(**wanted),)  # type: ignore[misc]

    # For the application, from any thread

    @property
    def frames(self) -> int:
        """Frames shared so far."""
        return self._writer.frames if self._writer is not None else 0

    @property
    def dropped(self) -> int:
        """Frames that went to nobody, as readers with the policy `latest` held every slot."""
        return self._writer.dropped if self._writer is not None else 0

    @property
    def readers(self) -> tuple[Told, ...]:
        """Who reads."""
        return self._writer.readers if self._writer is not None else ()

    # The filter

    def open(self) -> None:
        self._writer = Writer(
            self.shared_name,
            slots=self.slots,
            slot_bytes=self.slot_bytes,
            patience_s=float(self.patience),
            max_bytes=self.max_bytes,
            allow_users=tuple(self.allow_users),
        )
        self._awaited = self.wait_readers > 0
        self._tell()

    def process(self) -> float | None:
        writer = self._writer
        assert writer is not None  # since open()
        if self._awaited:
            if not writer.wait_readers(self.wait_readers, TURN_S):
                return 0.0
            self._awaited = False
        for pid in self.ipids:
            raw = pid.properties.get("CodecID") == "raw"
            while (packet := pid.peek()) is not None:
                if not (raw and packet.seek) and not self._share(writer, packet, pid):
                    return 0.0
                pid.take(packet)
        return None

    def restarted(self, pid: Link) -> None:
        self._jumped = True

    def ended(self, pid: Link) -> None:
        if all(link.ended for link in self.ipids):
            self._end()

    def close(self) -> None:
        self._end()

    # Inside

    def _end(self) -> None:
        """Tells readers; waits a moment for those that have not taken all."""
        if self._writer is not None:
            self._writer.close()
            self._tell()

    def _share(self, writer: Writer, packet: Packet, pid: Link) -> bool:
        """False: readers hold every slot."""
        if self._jumped and not packet.discontinuity:
            packet = packet.clone()
            packet.discontinuity = True
        try:
            writer.write(
                packet,
                properties=pid.properties,
                metadata=_sayable(packet.properties or {}),
                timeout_s=TURN_S,
            )
        except DeadlineError:
            self._tell("waits for readers")
            return False
        self._jumped = False
        self._tell()
        return True

    def _tell(self, more: str = "") -> None:
        told = (self._writer.reading if self._writer is not None else 0, self.dropped, more)
        if told != self._told:
            self._told = told
            readers, dropped, _ = told
            said = [f"{readers} readers", f"{dropped} dropped" if dropped else "", more]
            self.status = ", ".join(filter(None, said))


def _sayable(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Those that can go to another process."""
    return {name: value for name, value in properties.items() if sayable(name, value)}


def name_in(options: dict[str, Any], filter: str) -> str:
    """The name to share by, among a filter's options. Raises OptionError where it is not said, or is none."""
    name = str(options.get("name") or "")
    if not name:
        raise OptionError(f"{filter} without a name", hint=f"say which: {filter}:name=cam1")
    return check_name(name)
