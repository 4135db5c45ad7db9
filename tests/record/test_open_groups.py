"""Open groups of pictures: what is shown before a keyframe needs the pictures before it, and the keyframe."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest

import reelway as rw
from reelway.engine.joinable import with_parameter_sets
from reelway.record import Recorder, Recording
from reelway.record.disk import SIDECAR
from reelway.testing.clock import VirtualClock
from tests.media.make import counter_picture
from tests.media.probe import counters

FPS, GROUP = 25, 24
CODERS = {
    "h264": ("libx264", {"x264-params": "bframes=3:b-adapt=0:keyint=24:min-keyint=24:scenecut=0:open-gop=1"}),
    "hevc": (
        "libx265",
        {"x265-params": "bframes=3:b-adapt=0:keyint=24:min-keyint=24:scenecut=0:open-gop=1:log-level=none"},
    ),
}


@pytest.fixture(scope="module", params=CODERS)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 s; only the first of its keyframes, each 24 pictures, is an IDR."""
    encoder, options = CODERS[request.param]
    path = tmp_path_factory.mktemp("source") / f"{request.param}.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = options
        for number in range(250):
            frame = av.VideoFrame.from_ndarray(counter_picture(number), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_clip_begins_at_a_keyframe_and_plays_alone(ending: str, source: Path, tmp_path: Path) -> None:
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(
            session, session.load_src(str(source)), tmp_path / f"a.{ending}", before_s=0.5, after_s=1.5
        )
        session.post(lambda: made.append(recorder.record()), 3.7)
        session.run()
    shown = counters(made[0].wait(20.0).path)
    assert shown == list(range(3 * GROUP, 3 * GROUP + len(shown)))
    assert 128 <= shown[-1] <= 134
    assert len(shown) == made[0].wait().packets


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("from_s", [0.0, 1.5])
def test_no_picture_between_two_files_is_lost(
    from_s: float, ending: str, source: Path, tmp_path: Path
) -> None:
    """The keyframe between them is in both. From 1.5 s on, the first one begins with an open group."""
    clock = VirtualClock()
    made: list[Recorder] = []
    with rw.Session(clock=clock) as session:
        loaded = session.load_src(str(source))
        session.chain(loaded, paced := session.load("reframer:rt=on"))
        paced >> session.load("null")

        def begin() -> None:
            recorder = Recorder(
                session, paced, "", segments=str(tmp_path / f"{{number}}.{ending}"), segment_s=2.0
            )
            assert recorder._tape.segments is not None
            recorder._tape.segments._wall_s = lambda: 1e9 + clock.now()
            made.append(recorder)

        session.post(begin, from_s)
        session.run()
    made[0].close()
    paths = sorted(tmp_path.glob(f"*.{ending}"))
    assert len(paths) >= 4
    last = None
    for path in paths:
        shown = counters(path)
        first = shown[0]
        assert first % GROUP == 0
        assert last is None or first == last
        assert first > 0 or not from_s
        assert shown == list(range(first, first + len(shown)))
        assert json.loads(Path(f"{path}{SIDECAR}").read_text())["packets"] == len(shown)
        last = shown[-1]
    assert last == 249


def test_parameter_sets_stand_in_front_once() -> None:
    sets = [b"\x67\x42\x00\x1e\xaa", b"\x68\xce"]
    avcc = b"\x01\x42\x00\x1e\xff\xe1\0\5" + sets[0] + b"\1\0\2" + sets[1]
    annex_b = b"".join(b"\0\0\0\1" + each for each in sets)
    picture = b"\x41\x9a\x01"
    framed = b"\0\0\0\3" + picture
    whole = b"\0\0\0\5" + sets[0] + b"\0\0\0\2" + sets[1] + framed
    for config, bare, full in (
        (avcc, framed, whole),
        (annex_b, b"\0\0\1" + picture, annex_b + b"\0\0\1" + picture),
    ):
        said = {"CodecID": "h264", "DecoderConfig": config}
        assert with_parameter_sets(said, bare) == full
        assert with_parameter_sets(said, full) == full
    for config in (b"", b"\1", avcc[:7], b"\1" * 40):
        assert with_parameter_sets({"CodecID": "h264", "DecoderConfig": config}, framed).endswith(framed)
        assert with_parameter_sets({"CodecID": "hevc", "DecoderConfig": config}, framed).endswith(framed)
    assert with_parameter_sets({"CodecID": "vp9", "DecoderConfig": avcc}, framed) == framed
