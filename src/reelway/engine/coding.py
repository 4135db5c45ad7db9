"""Encoders in words: `libx264:preset=fast`, as `load_dst(..., video=...)` takes them."""

from __future__ import annotations

from functools import lru_cache

from reelway.errors import LinkError, OptionError
from reelway.graph.resolve import Demand

__all__ = ["demand_for", "demanded"]


def demanded(name: str, kind: str, text: str, raw: bool) -> Demand | None:
    """What the option `kind` of the sink `name` says of a stream: an encoder, or None for what comes.

    Raises LinkError where a `raw` stream is to be copied, and as `demand_for` does.
    """
    if text not in ("", "none", "copy"):
        return demand_for(kind, text)
    if text == "copy" and raw:
        raise LinkError(f"{name} shall copy {kind}, but what comes is raw", hint=f"leave {kind}='copy' out")
    return None


@lru_cache(maxsize=32)
def demand_for(kind: str, text: str) -> Demand:
    """What `text` asks for, of media type `kind`: the name of a codec or encoder, then options of `encode`.

    Raises UnknownNameError, UnsupportedError, and OptionError for an encoder of another kind and for an
    option that it does not take, before any file is touched.
    """
    from reelway.engine.codecs import codec_and_type  # both are for who encodes: a remux does without
    from reelway.engine.encode import Encode
    from reelway.graph.optiontext import parse_filter_text

    parts = parse_filter_text(text)
    if not parts.name:
        raise OptionError(f"{kind}={text!r} names no encoder", hint=f"begin with one: {kind}='h264:{text}'")
    codec, found = codec_and_type(parts.name)
    if found != kind:
        raise OptionError(f"{parts.name} encodes {found}, but {kind}={text!r} asks it for {kind}")
    options = {name: "true" if value is None else value for name, value in parts.options}
    Encode(codec=parts.name, **options).check(kind)
    return Demand("encode", {"CodecID": codec}, {"codec": parts.name, **options})
