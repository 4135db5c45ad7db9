"""Session descriptions (SDP: RFC 8866) as servers of RTSP give them, read: which streams there are, and how.

Nothing that is wrong with one raises: what cannot be understood is left out.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["Description", "NotOurs", "Offer", "read_description"]

MOST_STREAMS = 32
MOST_LINES = 4096
STATIC = {0: ("PCMU", 8000, 1), 8: ("PCMA", 8000, 1), 10: ("L16", 44100, 2), 11: ("L16", 44100, 1)}
"""Payload type -> what it is without a word (RFC 3551, 6); those that are read here."""
SETS = ("sprop-vps", "sprop-sps", "sprop-pps", "sprop-parameter-sets")
"""Parameters that hold parameter sets, in the order in which those are read."""


class NotOurs(Exception):
    """This one is for FFmpeg to read; the text says why."""


@dataclass
class Offer:
    """One stream that a server offers: a media description (RFC 8866, 5.14)."""

    kind: str
    """video, audio, application or what else stands there."""
    payload_type: int
    protocol: str = "RTP/AVP"
    encoding: str = ""
    """As `rtpmap` says it, in capitals."""
    clock: int = 0
    channels: int = 1
    parameters: dict[str, str] = field(default_factory=dict)
    """Of `fmtp`, names in small letters."""
    control: str = ""
    fps: Fraction | None = None
    wanted: bool = True
    """It comes from the server: what goes to it is none of ours."""

    @property
    def sets(self) -> list[bytes]:
        """The parameter sets of H.264 or HEVC, as NAL units."""
        found = []
        for name in SETS:
            for text in self.parameters.get(name, "").split(","):
                try:
                    unit = b64decode(text + "=" * (-len(text) % 4)).rstrip(b"\0")
                except (NotBase64, ValueError):
                    continue
                if len(unit) > 2:
                    found.append(unit)
        return found


@dataclass
class Description:
    """What a session is: its streams, and whether it comes to an end."""

    offers: list[Offer] = field(default_factory=list)
    control: str = ""
    ends: bool = False
    """It says how long it is."""


def read_description(data: bytes) -> Description:
    """The description in `data`; one without streams where there is none."""
    found, offer = Description(), None
    for line in re.split(r"[\r\n]+", data.decode("utf-8", "replace"), maxsplit=MOST_LINES)[:MOST_LINES]:
        kind, _, value = line.partition("=")
        if kind == "m":
            if len(found.offers) >= MOST_STREAMS:
                break
            offer = _offer(value)
            if offer is not None:
                found.offers.append(offer)
        elif kind == "a":
            name, _, said = value.partition(":")
            if name.strip().lower() == "range":
                found.ends = found.ends or _has_end(said)
            elif offer is not None:
                _attribute(offer, name.strip().lower(), said.strip())
            elif name.strip().lower() == "control" and not found.offers:
                found.control = said.strip()
    return found


def _offer(text: str) -> Offer | None:
    words = text.split()
    if len(words) < 4:
        return None
    number = _number(words[3])
    if number is None or number > 127:
        number = -1
    encoding, clock, channels = STATIC.get(number, ("", 0, 1))
    return Offer(words[0].lower(), number, words[2].upper(), encoding, clock, channels)


def _attribute(offer: Offer, name: str, said: str) -> None:
    if name == "control":
        offer.control = said
    elif name in ("sendonly", "inactive"):  # as the client sees it
        offer.wanted = False
    elif name == "framerate":
        offer.fps = _rate(said)
    elif name in ("rtpmap", "fmtp"):
        number, _, rest = said.partition(" ")
        if _number(number) != offer.payload_type:
            return
        if name == "rtpmap":
            encoding, _, numbers = rest.strip().partition("/")
            clock, _, channels = numbers.partition("/")
            offer.encoding = encoding.strip().upper()
            offer.clock = _number(clock) or 0
            offer.channels = _number(channels) or 1
        else:
            for each in rest.split(";"):
                key, _, value = each.partition("=")
                if key.strip():
                    offer.parameters.setdefault(key.strip().lower(), value.strip())


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _rate(text: str) -> Fraction | None:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) or not float(text):
        return None
    rate = Fraction(text)
    for base in (1000, 1001):  # 29.97 is 30000/1001
        ticks = round(rate * base)
        if ticks % 1000 == 0 and abs(rate - Fraction(ticks, base)) < Fraction(1, 200):
            return Fraction(ticks, base)
    return rate.limit_denominator(1001)


def _has_end(text: str) -> bool:
    """`npt=0-30.5`, and not `npt=0-` or `npt=now-` (RFC 2326, 3.6); other clocks are of what is live."""
    found = re.match(r"\s*npt\s*=\s*[^-\s]*\s*-\s*(\d[\d.:]*)", text)
    return bool(found and re.search(r"[1-9]", found[1]))
