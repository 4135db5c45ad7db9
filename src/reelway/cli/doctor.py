"""`reelway doctor`: what this installation is, what it lacks, and what that means."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

import reelway
from reelway.cli.outcome import DONE, FAILURE
from reelway.cli.statistics import columns

__all__ = ["Report", "doctor", "examine"]

PACKAGES = {
    "numpy": "frames and samples as arrays",
    "rich": "the progress bar",
    "Pillow": "text and drawing on frames",
    "lark": "pipeline texts",
    "PySDL2": "windows and sound",
    "pysdl2-dll": "windows and sound",
    "moderngl": "frames as OpenGL textures",
    "aiohttp": "HTTP server and client",
}
"""Package -> what Reelway uses it for."""

WANTED: dict[str, dict[str, str]] = {
    "protocol": {
        "http": "reading from the web",
        "https": "reading from the web",
        "rtmp": "streaming to RTMP servers",
        "rtp": "RTP by itself",
        "srt": "SRT links; use RTP, RTMP or a relay",
        "rist": "RIST links",
        "sftp": "files over SSH",
    },
    "demuxer": {
        "mp4": "MP4 files",
        "matroska": "Matroska and WebM files",
        "mpegts": "MPEG-TS files and streams",
        "rtsp": "cameras",
        "hls": "HLS by FFmpeg itself",
        "dash": "DASH by FFmpeg itself; Reelway reads manifests on its own",
        "v4l2": "cameras of this machine",
        "alsa": "microphones of this machine",
        "x11grab": "the screen",
    },
    "muxer": {
        "mp4": "MP4", "matroska": "Matroska", "mpegts": "MPEG-TS", "hls": "HLS", "dash": "DASH",
        "rtsp": "streaming to RTSP servers",
    },
    "decoder": {
        "h264": "H.264", "hevc": "H.265", "av1": "AV1", "libdav1d": "AV1, faster", "vp9": "VP9", "aac": "AAC",
        "opus": "Opus", "vorbis": "Vorbis",
    },
    "encoder": {
        "libx264": "H.264 (GPL)",
        "libopenh264": "H.264 without the GPL",
        "h264_nvenc": "H.264 on NVIDIA's hardware",
        "h264_vaapi": "H.264 on Intel's and AMD's hardware",
        "libx265": "H.265 (GPL)",
        "libsvtav1": "AV1",
        "libvpx-vp9": "VP9",
        "mpeg4": "MPEG-4 part 2, FFmpeg's own",
        "mjpeg": "JPEG pictures",
        "aac": "AAC, FFmpeg's own",
        "libopus": "Opus",
        "libvorbis": "Vorbis; FFmpeg's own encoder stands in",
        "libmp3lame": "MP3",
    },
}  # fmt: skip
"""Part of FFmpeg -> name -> what it is for."""

TOOLS = {
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "gst-launch-1.0": "gstreamer1.0-tools",
    "dot": "graphviz",
    "v4l2-ctl": "v4l-utils",
}
"""Command of a peer -> the Debian package that has it."""

GPL = """\
FFmpeg says of itself: {licences}. This build holds {names}, which are under the GPL.
Using it is free. Who ships a product with these libraries ships it under the GPL, or buys licences
from their owners, or leaves them out: Reelway works with FFmpeg's other encoders too."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. Names that are missing map to what they are for."""

    versions: dict[str, str]
    packages: dict[str, str | None]
    missing: dict[str, dict[str, str]]
    gpl: list[str]
    licences: list[str]
    tools: dict[str, str | None]
    problem: str | None = None


def examine() -> Report:
    """Looks at this installation; changes nothing, connects to nothing."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    found = {"Reelway": reelway.__version__, "Python": platform.python_version(), "system": machine}
    packages = {name: _version(name) for name in PACKAGES}
    tools = {command: shutil.which(command) for command in TOOLS}
    try:
        from reelway.engine import inventory
    except ImportError as error:
        problem = f"PyAV cannot be loaded: {error}; install it with: pip install 'av>=18,<20'"
        return Report(found, packages, {}, [], [], tools, problem)
    ask: dict[str, Callable[[str], bool]] = {
        "protocol": inventory.has_protocol,
        "demuxer": inventory.has_demuxer,
        "muxer": inventory.has_muxer,
        "decoder": inventory.has_decoder,
        "encoder": inventory.has_encoder,
    }
    missing = {
        part: {name: use for name, use in names.items() if not ask[part](name)}
        for part, names in WANTED.items()
    }
    gpl = [name.removeprefix("lib") for name in ("libx264", "libx265") if inventory.has_encoder(name)]
    return Report(found | inventory.versions(), packages, missing, gpl, inventory.licences(), tools)


def doctor(*, as_json: bool) -> int:
    """Prints what `examine` finds; FAILURE where Reelway cannot work at all."""
    report = examine()
    print(json.dumps(asdict(report), indent=2) if as_json else _text(report))
    if report.problem:
        print(f"reelway: {report.problem}", file=sys.stderr)
    return FAILURE if report.problem else DONE


def _text(report: Report) -> str:
    lines = ["versions", *_table([[name, number] for name, number in report.versions.items()])]
    lines += ["", "packages"]
    lines += _table([[name, number or "missing", PACKAGES[name]] for name, number in report.packages.items()])
    lines += ["", "what this FFmpeg lacks"]
    lacks = [[f"{part} {name}", use] for part, names in report.missing.items() for name, use in names.items()]
    lines += _table(lacks) if lacks else ["  nothing of what Reelway looks for"]
    if report.gpl:
        lines += ["", "licence"]
        text = GPL.format(licences="; ".join(report.licences), names=" and ".join(report.gpl))
        lines += [f"  {line}" for line in text.splitlines()]
    lines += ["", "other programs, which Reelway does not need and its tests meet"]
    lines += _table(
        [[name, path or f"missing: apt-get install {TOOLS[name]}"] for name, path in report.tools.items()]
    )
    return "\n".join(lines)


def _table(rows: list[list[str]]) -> list[str]:
    return [f"  {line}" for line in columns([[""] * len(rows[0]), *rows])[1:]]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
