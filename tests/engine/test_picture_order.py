"""Raw H.264 and HEVC get the times that the same pictures have in the mp4 they came from."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import hypothesis
import pytest
from hypothesis import strategies

from reelway.engine import parameter_sets
from reelway.engine.picture_order import PictureTimes
from tests.media import make, probe

ONE_THREAD = "threads=1:lookahead-threads=1"
X265 = "log-level=none:pools=none:frame-threads=1:info=0"
STREAMS: dict[str, tuple[str, str]] = {
    "no-b": ("libx264", f"bframes=0:keyint=25:{ONE_THREAD}"),
    "pyramid": ("libx264", f"bframes=5:b-pyramid=strict:b-adapt=0:keyint=30:{ONE_THREAD}"),
    "open-gop": ("libx264", f"bframes=3:b-adapt=0:keyint=20:scenecut=0:open-gop=1:{ONE_THREAD}"),
    "one-gop": ("libx264", f"bframes=3:keyint=1000:scenecut=0:{ONE_THREAD}"),
    "interlaced": ("libx264", f"bframes=3:interlaced=1:keyint=30:{ONE_THREAD}"),
    "hrd": ("libx264", f"bframes=3:keyint=30:nal-hrd=vbr:vbv-maxrate=1000:vbv-bufsize=1000:{ONE_THREAD}"),
    "hevc": ("libx265", f"bframes=4:b-pyramid=1:keyint=30:min-keyint=30:{X265}"),
    "hevc-open-gop": ("libx265", f"bframes=4:b-pyramid=1:keyint=20:open-gop=1:{X265}"),
    "hevc-repeated": ("libx265", f"bframes=2:keyint=20:repeat-headers=1:{X265}"),
}


def times(path: Path, codec: str) -> list[tuple[Fraction, Fraction]]:
    """dts and pts in seconds of a raw stream's pictures, in decode order."""
    found: list[tuple[Any, int, int]] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        clock: PictureTimes | None = None
        for packet in container.demux(stream):
            if packet.size:
                clock = clock or PictureTimes(codec, packet.duration or 0)
                found += clock.add(packet, memoryview(packet))
        assert clock is not None
        found += clock.flush()
        base = Fraction(stream.time_base or 0)
    return [(dts * base, pts * base) for _, dts, pts in found]


@pytest.mark.parametrize("name", STREAMS)
def test_the_times_of_the_mp4(name: str, tmp_path: Path) -> None:
    encoder, parameters = STREAMS[name]
    codec = "h264" if encoder == "libx264" else "hevc"
    key = "x264-params" if codec == "h264" else "x265-params"
    film = make.film(tmp_path / "film.mp4", video=encoder, audio=0, video_options={key: parameters})
    raw = make.raw(film, tmp_path / f"film.{codec}", codec, "video", f"{codec}_mp4toannexb")
    expected = [(packet.dts, packet.pts) for packet in probe.packets(film)[0].packets]
    assert times(raw, codec) == expected


def test_a_stream_that_does_not_say_how_much_it_reorders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameter_sets, "_h264_usability", lambda bits, picture: None)
    expected = [(packet.dts, packet.pts) for packet in probe.packets(make.media("film.mp4"))[0].packets]
    assert times(make.media("film.h264"), "h264") == expected


@hypothesis.given(
    strategies.lists(strategies.binary(max_size=200), max_size=40), strategies.sampled_from(["h264", "hevc"])
)
def test_garbage_gets_rising_times(payloads: list[bytes], codec: str) -> None:
    clock = PictureTimes(codec, 10)
    found: list[tuple[Any, int, int]] = []
    for i, payload in enumerate(payloads):
        found += clock.add(i, b"\x00\x00\x01" + payload)
    found += clock.flush()
    assert [item for item, _, _ in found] == list(range(len(payloads)))
    dts = [at for _, at, _ in found]
    assert dts == sorted(set(dts))
    assert all(pts >= dts for _, dts, pts in found)
