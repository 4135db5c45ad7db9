"""What RTP carries, and the text that tells receivers of it (SDP: RFC 8866).

Each codec has a payload format of its own; the parameters that a receiver needs before the first packet,
parameter sets above all, stand in its `fmtp` line: RFC 6184 (H.264), 7798 (H.265), 3640 (AAC), 6416 (MPEG-4),
7587 (Opus), 7741 (VP8), 9628 (VP9), 3551 (the old ones, with numbers of their own).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reelway.engine import nal
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import LinkError, OpenError

__all__ = ["CODECS", "Media", "media_of", "session_text", "write_whole"]

DYNAMIC = 96
"""The first payload type that means what the SDP says (RFC 3551, 6)."""
LINE = "\r\n"
_VIDEO = {
    "h264": "H264",
    "hevc": "H265",
    "mpeg4": "MP4V-ES",
    "vp8": "VP8",
    "vp9": "VP9",
    "av1": "AV1",
    "mjpeg": "JPEG",
    "mpeg2video": "MPV",
    "mpeg1video": "MPV",
}
_AUDIO = {
    "aac": "mpeg4-generic",
    "opus": "opus",
    "pcm_mulaw": "PCMU",
    "pcm_alaw": "PCMA",
    "pcm_s16be": "L16",
    "mp2": "MPA",
    "mp3": "MPA",
}
CODECS: Mapping[str, str] = {**_VIDEO, **_AUDIO}
"""Codec -> its name in RTP."""
_STATIC = {
    ("PCMU", 8000, 1): 0,
    ("PCMA", 8000, 1): 8,
    ("L16", 44100, 2): 10,
    ("L16", 44100, 1): 11,
    ("MPA", 90000, 1): 14,
    ("JPEG", 90000, 1): 26,
    ("MPV", 90000, 1): 32,
}
"""Name, clock and channels -> payload type (RFC 3551, 6)."""
_SETS: dict[str, dict[str, tuple[int, ...]]] = {
    "h264": {"sprop-parameter-sets": (7, 8)},
    "hevc": {"sprop-vps": (32,), "sprop-sps": (33,), "sprop-pps": (34,)},
}
"""Codec -> its parameters, and the types of NAL units that each holds."""


@dataclass(frozen=True, slots=True)
class Media:
    """One stream of a session: a media description (RFC 8866, 5.14).

    `clock`: ticks of RTP a second. `channels`: 1 where there are none. `fmtp`: format parameters, or empty.
    """

    kind: str
    encoding: str
    payload_type: int
    clock: int
    channels: int = 1
    fmtp: str = ""
    port: int = 0

    def at(self, port: int) -> Media:
        """The same at this port."""
        return replace(self, port=port)

    @property
    def lines(self) -> list[str]:
        """As they stand in the SDP."""
        rtpmap = f"{self.encoding}/{self.clock}" + (f"/{self.channels}" if self.channels > 1 else "")
        found = [
            f"m={self.kind} {self.port} RTP/AVP {self.payload_type}",
            f"a=rtpmap:{self.payload_type} {rtpmap}",
        ]
        return [*found, f"a=fmtp:{self.payload_type} {self.fmtp}"] if self.fmtp else found


def media_of(name: str, info: StreamInfo, number: int) -> Media:
    """How RTP carries a stream, the `number`-th of its session, called `name`; its port is not known yet.

    Raises LinkError where it has no form for the codec, or not for so many channels.
    """
    codec, context = info.codec, info.template.codec_context
    if codec not in CODECS:
        kind, usual = ("audio", "opus") if info.template.type == "audio" else ("video", "h264")
        raise LinkError(
            f"RTP has no form for {codec} ({name})",
            hint=f"encode it: {kind}={usual!r}; of what is coded it carries {', '.join(CODECS)}",
        )
    encoding = CODECS[codec]
    config = info.extradata or b""
    if codec in _VIDEO:
        payload_type = _STATIC.get((encoding, 90000, 1), DYNAMIC + number)
        return Media("video", encoding, payload_type, 90000, fmtp=_video_parameters(codec, config))
    clock, channels, fmtp = context.sample_rate, context.channels, ""
    if codec == "opus":
        if channels > 2:
            raise LinkError(
                f"RTP carries Opus of one or two channels, not {channels} ({name})",
                hint="encode it: audio='aac'",
            )
        # always so, whatever it holds (RFC 7587, 4.1)
        clock, channels, fmtp = 48000, 2, "sprop-stereo=1" if channels == 2 else ""
    elif encoding == "MPA":
        clock = 90000
        channels = 1
    elif codec == "aac":
        fmtp = (
            "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"
            f"config={config.hex().upper()}"
        )
    payload_type = _STATIC.get((encoding, clock, channels), DYNAMIC + number)
    return Media("audio", encoding, payload_type, clock, channels, fmtp)


def session_text(
    media: Sequence[Media],
    *,
    address: str,
    ttl: int | None,
    origin: str,
    number: int,
    version: int,
    name: str = "Reelway",
) -> str:
    """The SDP of a session that is sent to `address`, a multicast group or a host.

    `ttl`: of an IPv4 group. `origin`: the sender's own address. `number` and `version` name this session, and
    this text of it: both are numbers of seconds.
    """
    lines = [
        "v=0",
        f"o=- {number} {version} IN {_family(origin)} {origin}",
        f"s={name}",
        f"c=IN {_family(address)} {address}" + (f"/{ttl}" if ttl is not None and ":" not in address else ""),
        "t=0 0",
        "a=type:broadcast",
    ]
    for each in media:
        lines += [*each.lines, "a=recvonly"]
    return LINE.join(lines) + LINE


def write_whole(path: str, text: str) -> None:
    """A file that is there as a whole, or not at all; one of its name is replaced. Raises OpenError.

    A pipe or a device of that name stays, and gets the text; a pipe that nobody reads is an error.
    """
    folder, name = os.path.split(os.path.realpath(path))
    made = os.path.join(folder, f".{name}.{secrets.token_hex(4)}")
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "w", encoding="utf-8", newline="", opener=_at_once) as file:
                file.write(text)
            return
        with open(made, "x", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(made, os.path.join(folder, name))
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(made)
        raise OpenError(
            f"{path}: {os.strerror(error.errno or 0)}",
            url=path,
            errno=error.errno,
            hint="sdp= is where the SDP is written: a file in a folder that is there",
        ) from error


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"


def _video_parameters(codec: str, config: bytes) -> str:
    if codec == "mpeg4":
        # the level stands behind the start code of the sequence (ISO/IEC 14496-2, 6.2.2)
        at = config.find(b"\x00\x00\x01\xb0")
        level = config[at + 4] if 0 <= at < len(config) - 4 else 1
        return f"profile-level-id={level}" + (f";config={config.hex().upper()}" if config else "")
    if codec not in _SETS:
        return ""
    units = nal.split(config)
    found: list[str] = []
    if codec == "h264":
        found.append("packetization-mode=1")
        sequence = next((unit for unit in units if nal.type_of(codec, unit) == 7 and len(unit) > 3), None)
        if sequence is not None:
            found.append(f"profile-level-id={sequence[1:4].hex().upper()}")
    for name, types in _SETS[codec].items():
        if sets := [b64encode(unit).decode() for unit in units if nal.type_of(codec, unit) in types]:
            found.append(f"{name}={','.join(sets)}")
    return ";".join(found)
