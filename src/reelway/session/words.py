"""Streams in a few words, and errors as their reader needs them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from reelway.errors import LinkError, OptionError, ReelwayError, UnknownNameError

__all__ = ["as_told", "stream_in_words"]


def stream_in_words(properties: Mapping[str, Any]) -> str:
    """Codec and format: "h264, 320x240, 25 fps", "raw yuv420p, 1920x1080", "aac, 48000 Hz, stereo, fr"."""
    get = properties.get
    codec = _plain(get("CodecID", "?"))
    if codec == "raw" and (layout := get("PixelFormat") or get("AudioFormat")):
        codec = f"raw {_plain(layout)}"
    words = [codec]
    if get("Width") and get("Height"):
        words.append(f"{_plain(get('Width'))}x{_plain(get('Height'))}")
    if isinstance(fps := get("FPS"), (int, float, Fraction)):
        words.append(f"{round(float(fps), 3):g} fps")
    if get("SampleRate"):
        words.append(f"{_plain(get('SampleRate'))} Hz")
    if channels := get("NumChannels"):
        count = f"{_plain(channels)} channels"
        words.append(str(get("ChannelLayout") or ("mono" if channels == 1 else count)))
    if (language := get("Language")) and language != "und":
        words.append(str(language))
    return ", ".join(words)


def _plain(value: Any) -> str:
    """A value, or choices that are still open."""
    if isinstance(value, frozenset):
        return "|".join(sorted(map(str, value)))
    return str(value)


def as_told(error: ReelwayError) -> ReelwayError:
    """What a filter says of the world, of what it was told, or of what is installed stands for itself."""
    cause = error.__cause__
    if isinstance(cause, (LinkError, OptionError, UnknownNameError)):
        return cause
    if isinstance(cause, ReelwayError) and cause.fault in ("world", "installation"):
        return cause
    return error
