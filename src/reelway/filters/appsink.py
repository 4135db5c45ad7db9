"""`AppSink`: frames and packets for an application, which takes them in any thread or in asyncio."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from reelway.errors import OptionError
from reelway.filters.mailbox import Mailbox
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.origin import is_live_picture
from reelway.media.packet import Packet

__all__ = ["AppSink"]


class AppSink(Filter):
    """A sink from which an application pulls: `pull()`, `poll()`, `for`, `await pull_async()`, `async for`.

    It takes one stream: any, or raw pictures of `pixel_format`, or raw sound of `sample_format`. At most
    `max_packets` wait; then `block` holds the session up, `drop_oldest` drops the first of them, `latest`
    keeps nothing but the newest. `auto` is `latest` for pictures of a live source, else `block`. `dropped`
    counts.
    """

    registry_name = "appsink"
    inputs = (Caps(),)
    max_inputs = 1

    pixel_format: str = option("", help="raw pictures of this format, rgb24 for one; empty: anything")
    sample_format: str = option("", help="raw sound of this format, flt for one; empty: anything")
    sample_rate: int = option(0, low=0, unit="Hz", help="of raw sound; 0: any")
    channels: int = option(0, low=0, help="of raw sound; 0: any")
    policy: str = option("auto", choices=("auto", "block", "drop_oldest", "latest"), help="when nobody pulls")
    max_packets: int = option(8, low=1, help="so many wait")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.properties: dict[str, Any] = {}
        """Of the stream, as they were for the packet that was pulled last."""
        self.dropped = 0
        self._policy = self.policy
        """What `auto` has come to."""
        self._box: Mailbox[tuple[Packet, dict[str, Any]]] = Mailbox(1)

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        sound = {
            "AudioFormat": self.sample_format,
            "SampleRate": self.sample_rate,
            "NumChannels": self.channels,
        }
        asked = {name: value for name, value in sound.items() if value}
        if self.pixel_format and asked:
            raise OptionError("an appsink takes pictures or sound", hint="use two, one for each")
        wanted: dict[str, Any] = {}
        if self.pixel_format:
            wanted = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": self.pixel_format}
        elif asked:
            wanted = {"StreamType": "Audio", "CodecID": "raw", **asked}
        self.inputs = (Caps(**wanted),)  # type: ignore[misc]

    # For the application, from any thread but the session's

    def pull(self, timeout_s: float | None = None) -> Packet | None:
        """The next packet, which is then yours; waits for it. None: the stream, or the session, is over.

        Raises DeadlineError after `timeout_s`, and StateError where the session's own thread would wait for
        itself.
        """
        return self._received(self._box.take(timeout_s))

    def poll(self) -> Packet | None:
        """The next packet where one is there. From any thread."""
        return self._received(self._box.poll())

    async def pull_async(self, timeout_s: float | None = None) -> Packet | None:
        """`pull()` for asyncio."""
        return self._received(await self._box.take_async(timeout_s))

    def __iter__(self) -> Iterator[Packet]:
        return iter(self.pull, None)

    async def __aiter__(self) -> AsyncIterator[Packet]:
        while (packet := await self.pull_async()) is not None:
            yield packet

    @property
    def over(self) -> bool:
        """Nothing more will come."""
        return bool(self._box.closed) and not len(self._box)

    # The filter

    def open(self) -> None:
        self._choose({})

    def configure(self, pid: Link) -> None:
        self._choose(pid.properties)

    def process(self) -> float | None:
        self._box.owner = threading.get_ident()
        waiting = True
        while waiting:
            for pid in self.ipids:
                while self._policy != "block" or not self._box.full:
                    packet = pid.get()
                    if packet is None:
                        break
                    self._keep(packet, pid)
            self.waits_outside = self._box.full
            # who pulls from now on wakes the filter; who pulled just before may not have done so yet
            waiting = not self.waits_outside and any(pid.peek() is not None for pid in self.ipids)
        return None

    def ended(self, pid: Link) -> None:
        if all(link.ended for link in self.ipids):
            self._box.close("the stream has ended")

    def close(self) -> None:
        self._box.close("the session is over")

    def _choose(self, properties: Mapping[str, Any]) -> None:
        self._policy = self.policy
        if self.policy == "auto":
            self._policy = "latest" if is_live_picture(properties) else "block"
        self._box.resize(1 if self._policy == "latest" else self.max_packets)

    def _keep(self, packet: Packet, pid: Link) -> None:
        """Puts a packet in, in the place of the first one where there is no room."""
        while not self._box.offer((packet, pid.properties)) and not self._box.closed:
            if self._box.poll() is not None:
                self.dropped += 1
                self.status = f"{self.dropped} packets dropped"
                packet.discontinuity = True

    def _received(self, item: tuple[Packet, dict[str, Any]] | None) -> Packet | None:
        if item is None:
            return None
        packet, self.properties = item
        if self.opened and not self._box.closed:
            self.wake()
        return packet
