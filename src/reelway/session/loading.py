"""URLs as filters: what reads or writes them, with the options that may stand behind them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reelway import catalog
from reelway.errors import OptionError
from reelway.graph.option import BUILTIN_OPTIONS, declared
from reelway.media.addresses import live_protocol

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.session.session import Session


def load_url(
    session: Session,
    way: str,
    url: Any,
    options: dict[str, Any],
    properties: dict[str, str | None] | None = None,
) -> Filter:
    """The filter that reads (`way` is src) or writes (dst) `url`: a URL, a path or a Python file object."""
    if way == "dst":
        by_itself = str(url).startswith("rtp://") and "format" not in options  # rtp_mpegts is FFmpeg's muxer
        name = "rtpsink" if by_itself else "mux"
    elif str(url).startswith("shared:"):
        name = "shared"
    else:
        name = "live" if live_protocol(url) else "demux"
    if isinstance(url, str):
        if ":" in url:  # it may have options behind it
            from reelway.graph.optiontext import split_url

            known = {*declared(catalog.find(name)), *BUILTIN_OPTIONS}
            url, pairs = split_url(url, known, exists=os.path.exists)
            own = [(key, value) for key, value in pairs if not key.startswith("#")]
            behind = {key[1:]: value for key, value in pairs if key.startswith("#")}
            properties = {**(properties or {}), **behind}
            options = {**from_text(own), **options}
        if way == "dst" and url in ("null", "null:"):
            return session._make("null", options, properties)
        if name == "shared":
            return session._make(name, {"name": url.partition(":")[2], **options}, properties)
    elif isinstance(url, os.PathLike):
        url = os.fspath(url)
    elif not hasattr(url, "read" if way == "src" else "write"):
        raise OptionError(f"{url!r} is no URL, path or file object")
    return session._make(name, {way: url, **options}, properties)


def load_word(session: Session, word: str, **options: Any) -> Filter:
    """What a word of the command line reads: a file, an address, `shared:NAME`, a filter's text, or `-`.

    `-`, and `-:option=value`, stand for standard input. `options` come on top. Raises what `load()` and
    `load_src()` of the session raise.
    """
    name, _, rest = word.partition(":")
    is_filter = name in catalog.FILTERS or name in catalog.ALIASES
    if is_filter and not os.path.exists(word) and (name != "shared" or "=" in rest):
        return session.load(word, **options)
    standard = word == "-" or word.startswith("-:")
    return session.load_src("pipe:0" + word[1:] if standard else word, **options)


def from_text(pairs: Sequence[tuple[str, str | None]]) -> dict[str, Any]:
    """Options of a text; a bare flag is true, and `!flag` came as false."""
    return {name: "true" if value is None else value for name, value in pairs}
