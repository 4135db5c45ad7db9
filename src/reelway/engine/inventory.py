"""What the installed PyAV and its FFmpeg are, and what they can do. For `reelway doctor`, and for errors."""

from __future__ import annotations

import av
from av._core import library_meta  # licence and configuration are said nowhere else

__all__ = ["has_decoder", "has_demuxer", "has_encoder", "has_muxer", "has_protocol", "licences", "versions"]


def versions() -> dict[str, str]:
    """PyAV, FFmpeg and each of its libraries -> version."""
    libraries = {name: ".".join(map(str, number)) for name, number in av.library_versions.items()}
    return {"PyAV": av.__version__, "FFmpeg": av.ffmpeg_version_info, **dict(sorted(libraries.items()))}


def licences() -> list[str]:
    """What FFmpeg's libraries say about their licence, each answer once."""
    return sorted({str(each["license"]) for each in library_meta.values() if each.get("license")})


def has_encoder(name: str) -> bool:
    return _codec(name, "w")


def has_decoder(name: str) -> bool:
    return _codec(name, "r")


def has_demuxer(name: str) -> bool:
    try:
        return av.ContainerFormat(name, "r").is_input
    except ValueError:
        return False


def has_muxer(name: str) -> bool:
    try:
        return av.ContainerFormat(name, "w").is_output
    except ValueError:
        return False


def has_protocol(scheme: str) -> bool:
    """True where FFmpeg opens `scheme://` addresses. Nothing is connected: only `file` is allowed to."""
    try:
        av.open(f"{scheme}://127.0.0.1:9/", options={"protocol_whitelist": "file"}, timeout=1.0).close()
    except av.error.ProtocolNotFoundError:
        return False
    except (av.error.FFmpegError, OSError, ValueError):
        pass
    return True


def _codec(name: str, mode: str) -> bool:
    try:
        av.Codec(name, mode)  # type: ignore[arg-type]
    except (av.codec.codec.UnknownCodecError, ValueError):
        return False
    return True
