"""The streams of an RTSP session: which of them are read here, what they are, and packets of them."""

from __future__ import annotations

from bisect import insort
from fractions import Fraction
from typing import Any

import av

from reelway.engine.parameter_sets import Sequence, h264_sequence, hevc_sequence
from reelway.engine.rtpreceive import Receiver, Unit
from reelway.engine.rtpsound import Aac, Opus, Samples, aac_of
from reelway.engine.rtpvideo import BURST, H264, Hevc, Video
from reelway.engine.sdpread import Description, NotOurs, Offer
from reelway.engine.streaminfo import StreamInfo

__all__ = ["Lane", "lanes_of"]

LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
PLAIN = {"PCMU": ("pcm_mulaw", 1), "PCMA": ("pcm_alaw", 1), "L16": ("pcm_s16be", 2)}
"""Encoding -> codec, and bytes of a sample."""
MOST_CLOCK = 384_000
MOST_PIXELS = 1 << 15
"""Across, and down."""
NEAR_S = 10
"""A time that the server tells lies so near to the first one that comes, or means nothing."""
OPUS_HEAD = b"OpusHead\1\2\0\0\x80\xbb\0\0\0\0\0"
"""Of two channels, nothing to be left out (RFC 7845, 5.1): in RTP it is always so (RFC 7587, 4.1)."""


class Lane:
    """One stream, from the packets of RTP to those of FFmpeg."""

    def __init__(self, offer: Offer, reorders: bool) -> None:
        self.offer = offer
        self.picture = offer.kind == "video"
        self.codec = ""
        self.channels = 1
        self.config = b""
        self._burst = BURST if reorders else 1  # between messages nothing is lost, but by the sender
        self.format: Video | Aac | Opus | Samples = self._format(offer)
        self.units = self.format.units
        self.receiver = Receiver(self.format, offer.payload_type, offer.clock, reorders=reorders)
        self.begin: int | None = None
        """Time of RTP at which the session begins, as the server says."""
        self.zero: int | None = None
        """That of its packets' time 0."""
        self.stream: Any = None
        """A stream of FFmpeg's that its packets belong to; there once `open()` was called."""
        self.said: dict[str, Any] = {}
        """Properties that FFmpeg's stream does not tell."""
        self._base = Fraction(1, offer.clock)
        self._duration = 0
        self._delay = 0
        self._order: list[int] = []
        """Display times of the pictures that came last, one more than may be shown out of order."""

    def _format(self, offer: Offer) -> Video | Aac | Opus | Samples:
        encoding, parameters = offer.encoding, offer.parameters
        if (
            not offer.protocol.startswith("RTP/AVP")
            or not 0 < offer.clock <= MOST_CLOCK
            or offer.payload_type < 0
        ):
            raise NotOurs(f"{offer.kind} comes by {offer.protocol[:32]} {offer.encoding[:32]}")
        if encoding == "H264" and parameters.get("packetization-mode", "0") in ("0", "1"):
            self.codec = "h264"
            return H264(offer.sets, self._burst)
        if encoding == "H265" and parameters.get("sprop-max-don-diff", "0") == "0":
            self.codec = "hevc"
            return Hevc(offer.sets, self._burst)
        if encoding in PLAIN and offer.channels in LAYOUTS:
            self.codec, size = PLAIN[encoding]
            self.channels = offer.channels
            return Samples(size * offer.channels)
        if encoding == "OPUS" and offer.clock == 48000:
            self.codec, self.channels, self.config = "opus", 2, OPUS_HEAD
            return Opus()
        if encoding == "MPEG4-GENERIC" and (found := aac_of(parameters, offer.clock)):
            self.codec = "aac"
            made, self.config, self.channels = found
            return made
        raise NotOurs(f"{offer.kind} is {encoding[:32] or 'of a type that has no name'}")

    @property
    def ready(self) -> bool:
        """It is known what it is."""
        return not isinstance(self.format, Video) or bool(self.format.config)

    def open(self, keeper: Any) -> None:
        """Adds its stream to `keeper`, a container that writes nothing."""
        clock = self.offer.clock
        properties: dict[str, Any] = {"CodecID": self.codec}
        if isinstance(self.format, Video):
            self.config = self.format.config
            properties |= self._looks(self.format)
        else:
            planar = self.codec == "aac"
            properties |= {
                "SampleRate": clock,
                "ChannelLayout": LAYOUTS[self.channels],
                "AudioFormat": "fltp" if planar else "s16",
            }
        if self.config:
            properties["DecoderConfig"] = self.config
        template = StreamInfo.from_properties(properties).template
        self.stream = keeper.add_stream_from_template(template, opaque=True)
        self.stream.time_base = self._base

    def _looks(self, video: Video) -> dict[str, Any]:
        unit = next(unit for (kind, _), unit in video.sets.items() if kind == video.SEQUENCE)
        sequence: Sequence = (h264_sequence if self.codec == "h264" else hevc_sequence)(unit)[1]
        picture = sequence.picture
        rate = self.offer.fps or picture.fps
        if rate is not None:
            self.said["FPS"] = rate
            self._duration = round(self.offer.clock / rate)
        if picture.aspect and picture.aspect != 1:
            self.said["SAR"] = picture.aspect
        self._delay = sequence.reorder or 0
        found: dict[str, Any] = {}
        if 0 < picture.width <= MOST_PIXELS and 0 < picture.height <= MOST_PIXELS:  # else nothing comes of it
            found = {"Width": picture.width, "Height": picture.height}
        if sequence.pixel_format:
            found["PixelFormat"] = sequence.pixel_format
        return found

    def starts(self, time: int, after_s: float) -> None:
        """Its first packet has `time`, and came `after_s` the session's first."""
        clock = self.offer.clock
        self.zero = time - round(after_s * clock)
        if self.begin is not None:
            ahead = (time - self.begin + (1 << 31)) % (1 << 32) - (1 << 31)
            if abs(ahead) < NEAR_S * clock:
                self.zero = time - ahead

    def packet(self, unit: Unit) -> Any:
        """The av packet of a unit; `starts()` was called, and `open()`."""
        data, time, key, broken, duration = unit
        made = av.Packet(data)
        pts = time - self.zero  # type: ignore[operator]
        made.pts = pts
        made.dts = self._decoded(pts) if self.picture else pts
        made.time_base = self._base
        made.stream = self.stream
        made.duration = duration or self._duration
        made.is_keyframe = key
        if broken:
            made.is_corrupt = True
        return made

    def _decoded(self, pts: int) -> int:
        """When a picture is decoded that is shown at `pts`; pictures come in the order of decoding."""
        order = self._order
        if not self._delay and (not order or pts > order[0]):  # as cameras send
            self._order = [pts]
            return pts
        if order and abs(pts - order[-1]) > NEAR_S * self.offer.clock:
            order.clear()  # the sender's clock has jumped
        insort(order, pts)
        if len(order) > self._delay + 1:
            if pts == order[0] and self._delay < 16:
                self._delay += 1  # shown before all that came lately: more are out of order than was said
            else:
                order.pop(0)
        missing = self._delay + 1 - len(order)
        return min(pts, order[0] - missing * self._duration)


def lanes_of(description: Description, *, reorders: bool) -> list[Lane]:
    """Those of a session that are read. Raises NotOurs where there is one that FFmpeg may know."""
    found = [
        Lane(offer, reorders)
        for offer in description.offers
        if offer.wanted and offer.kind != "application"  # what cameras say of themselves
    ]
    if not found:
        raise NotOurs("there is neither a picture nor sound")
    return found
