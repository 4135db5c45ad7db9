"""Microseconds that the resolver takes for a link, and a session for all of its linking.

A stream that fits as it is; some that need two converters of twelve; one that nothing makes fit. The
reference is the first. Then `Session.link()` for chains of filters.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from _measure import arguments, heading, measure, table
from hop import Source

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.graph.resolve import Chain, Conversion, Converter, resolve

CODECS = ("h264", "hevc", "av1", "vp9", "mpeg2video")
STREAM = {
    "StreamType": "Visual", "CodecID": "h264", "Width": 1920, "Height": 1080, "PixelFormat": "yuv420p",
    "Timescale": 90000, "Duration": 600, "Bitrate": 3_000_000, "ID": 1, "Container": "mp4",
}  # fmt: skip
SCREEN = rw.Caps(StreamType="Visual", CodecID="raw", PixelFormat="rgb24")
TAPE = rw.Caps(StreamType="Visual", CodecID="mpeg2video")


def make_converters() -> list[Converter]:
    """A decoder and an encoder for each codec, a converter of pictures, and one that fits nothing."""
    raw = rw.Caps(StreamType="Visual", CodecID="raw")
    pictures = rw.Caps(PixelFormat=("rgb24", "yuv420p", "nv12"))
    found = [
        Converter("convert", 5, "convert", (Conversion(raw, pictures),)),
        Converter("resample", 5, "resample", (Conversion(rw.Caps(StreamType="Audio"), raw),)),
    ]
    for codec in CODECS:
        coded = rw.Caps(StreamType="Visual", CodecID=codec)
        found.append(Converter(f"decode-{codec}", 50, "decode", (Conversion(coded, raw),)))
        found.append(Converter(f"encode-{codec}", 500, "encode", (Conversion(raw, coded),)))
    return found


def resolved(wanted: rw.Caps, converters: list[Converter], steps: int | None, times: int) -> float:
    """Seconds for one resolution; `steps` is how many converters it must find, None: no way."""
    start = time.perf_counter()
    for _ in range(times):
        chain = resolve(STREAM, (wanted,), {}, converters)
    taken = (time.perf_counter() - start) / times
    assert (len(chain.steps) if isinstance(chain, Chain) else None) == steps, chain
    return taken


def linked(count: int) -> float:
    """Seconds a link for `Session.link()` on a chain of `count` filters."""
    with rw.Session(threads=0) as session:
        last: rw.Filter = session.add(Source([]))
        for _ in range(count):
            last = last >> session.add(Forward())
        last >> session.add(Null())
        start = time.perf_counter()
        session.link()
        return (time.perf_counter() - start) / (count + 1)


def main() -> None:
    given = arguments(__doc__, rounds=15)
    times = 2 if given.tiny else 500
    converters = make_converters()
    print(heading())
    runs: dict[str, Callable[[], float]] = {
        "fits as it is": partial(resolved, rw.Caps(CodecID=rw.Not("raw")), converters, 0, times),
        "decode, convert": partial(resolved, SCREEN, converters, 2, times),
        "decode, encode": partial(resolved, TAPE, converters, 2, times),
        "nothing fits": partial(resolved, rw.Caps(StreamType="Text"), converters, None, times),
    }
    print(f"one resolution among {len(converters)} converters: us")
    table(measure(runs, given.rounds), "fits as it is", unit="us", scale=1e6)
    print("Session.link(), a link of a chain: us")
    chains = {
        f"{count:2} filters": partial(linked, count) for count in ((1, 2) if given.tiny else (1, 4, 16))
    }
    table(measure(chains, given.rounds), next(iter(chains)), unit="us", scale=1e6)


if __name__ == "__main__":
    main()
