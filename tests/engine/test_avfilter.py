"""FFmpeg's filter graphs: the same frames as Debian's ffmpeg makes, any number of inputs and outputs."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelway as rw
from reelway.engine.graphtext import parse_graph
from reelway.testing.parts import Collect
from tests.media import make

GRAPHS = [
    "negate",
    "hflip,vflip",
    "crop=100:80:20:10",
    "fps=10",
    "split[a][b];[a]hflip[c];[b][c]hstack",
    "[in]split=3[x][y][z];[x]negate[n];[n][y]vstack[s];[z]nullsink;[s]copy",
    "select='not(mod(n\\,5))',setpts=N*4*TB",
    "trim=start=1:end=2,setpts=PTS-STARTPTS",
]


def filtered(graph: str, *names: str, kind: str = "video") -> dict[str, Any]:
    with rw.Session(threads=2) as session:
        filter = session.load("avfilter", graph=graph)
        for name in names:
            session.load_src(make.media(name)).select(f"#{kind}") >> filter
        sink = session.add(Collect())
        filter >> sink
        session.run()
        assert isinstance(sink, Collect)
        return sink.seen


@pytest.mark.parametrize("graph", GRAPHS)
def test_the_same_frames_as_ffmpeg(graph: str, debian_tool: Callable[[str], str]) -> None:
    command = [debian_tool("ffmpeg"), "-v", "error", "-i", str(make.media("film.mp4"))]
    asked = graph if "[in]" not in graph else graph.replace("[in]", "[0:v]")
    option = "-filter_complex" if "[" in graph else "-vf"
    told = subprocess.run(
        [*command, option, asked, "-an", "-f", "framemd5", "-fps_mode", "passthrough", "-"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    lines = [line.split(",") for line in told.splitlines() if not line.startswith("#")]
    theirs = [line[-1].strip() for line in lines]
    (seen,) = filtered(graph, "film.mp4").values()
    mine = [hashlib.md5(packet.data).hexdigest() for packet in seen.packets]
    assert mine == theirs
    times = [packet.cts / seen.properties["Timescale"] for packet in seen.packets]
    base = next(line for line in told.splitlines() if line.startswith("#tb 0")).split()[-1]
    numerator, denominator = map(int, base.split("/"))
    assert times == pytest.approx([int(line[2]) * numerator / denominator for line in lines], abs=1e-3)


def test_two_films_side_by_side() -> None:
    (seen,) = filtered("hstack", "film.mp4", "plain.mp4").values()
    assert len(seen.packets) == 100
    for number, packet in enumerate(seen.packets):
        luma = packet.planes()[0]
        assert make.read_counter(luma[:, :320]) == make.read_counter(luma[:, 320:]) == number


def test_several_outputs_are_several_pids() -> None:
    seen = filtered("split[same][turned];[turned]hflip[turned2]", "film.mp4")
    assert sorted(seen) == ["same", "turned2"]
    for straight, turned in zip(seen["same"].packets, seen["turned2"].packets, strict=True):
        assert (straight.planes()[0] == turned.planes()[0][:, ::-1]).all()


def test_sound() -> None:
    (seen,) = filtered("volume=0.5", "film.mp4", kind="audio").values()
    whole = np.concatenate([packet.array() for packet in seen.packets])
    loud = np.concatenate([frame.array for frame in rw.frames(make.media("film.mp4"), stream="audio")])
    assert whole.shape == loud.shape
    assert np.abs(whole - loud / 2).max() < 1e-4
    ends = [packet.cts + packet.duration for packet in seen.packets]
    assert [packet.cts for packet in seen.packets][1:] == ends[:-1]


def test_a_new_size_in_mid_stream() -> None:
    with rw.Session() as session:
        both, turned = session.load("concat"), session.load("avfilter:graph=hflip")
        for width in (320, 160):
            film, sized = session.load_src(make.media("film.mp4")), session.load(f"convert:width={width}")
            film.video >> sized >> both
        sink = session.add(Collect())
        both >> turned >> sink
        session.run()
    assert isinstance(sink, Collect)
    assert [packet.planes()[0].shape for packet in sink.only.packets] == [(240, 320)] * 100 + [
        (120, 160)
    ] * 100


@pytest.mark.parametrize(
    ("graph", "error", "words"),
    [
        ("nonsense=3", rw.UnknownNameError, "no FFmpeg filter is named 'nonsense'"),
        ("scale=hello:3", rw.OptionError, "scale=hello:3"),
        ("hstack=inputs=3", rw.LinkError, "takes 3 inputs; there is no video for hstack"),
        ("negate,,hflip", rw.OptionError, "a filter's name is missing at character 8"),
        ("[a", rw.OptionError, "a label is not closed"),
        ("drawbox=color='red", rw.OptionError, "a quote is not closed"),
        ("anull", rw.LinkError, "StreamType is Visual, wanted Audio"),
        ("", rw.OptionError, "a filter's name is missing"),
    ],
)
def test_what_is_wrong_is_told(graph: str, error: type[Exception], words: str) -> None:
    with pytest.raises((error, rw.FilterError), match=words.replace("[", r"\[")) as found:
        filtered(graph, "film.mp4")
    cause = getattr(found.value, "cause", None)
    assert isinstance(found.value, error) or isinstance(cause, error)


@given(st.text(st.sampled_from("ab=,;[]'\\: "), max_size=24))
def test_any_text_is_a_graph_or_an_error(text: str) -> None:
    try:
        nodes = parse_graph(text)
    except rw.OptionError:
        return
    assert nodes
    assert all(node.name for node in nodes)


def test_what_is_not_to_be_shown_stays_so() -> None:
    with rw.Session() as session:
        source, filter = session.load_src(make.media("film.mp4")), session.load("avfilter:graph=hflip")
        sink = session.add(Collect())
        source.video >> filter >> sink
        session.link()
        session.play(1.52)
        session.run()
    assert isinstance(sink, Collect)
    shown = [packet.cts for packet in sink.only.packets if not packet.seek]
    assert shown == [512 * number for number in range(38, 100)]
    assert len(sink.only.packets) > len(shown)


def test_a_place_before_leaves_nothing_in_the_graph() -> None:
    """A graph that holds frames back is asked for another place."""

    class Seeks(Collect):
        asked = False

        def process(self) -> None:
            super().process()
            if not self.asked and len(self.only.packets) > 5:
                self.asked = True
                self.ipids[0].send_event(rw.events.Play(start_s=3.0))

    with rw.Session(threads=0, limits=rw.Limits(packets=4)) as session:
        source = session.load_src(make.media("film.mp4"))
        filter = session.load("avfilter", graph="tblend=all_mode=average")
        sink = session.add(Seeks())
        source.video >> filter >> sink
        session.run()
    assert isinstance(sink, Seeks)
    log = sink.only.log
    later = [each for each in log[log.index("restart") + 1 :] if isinstance(each, tuple)]
    behind = [each[1] for each in later if each[0] != "configure"]
    assert behind == sorted(behind)
    assert behind[0] >= 512 * 75 - 512 * 25


def test_an_input_that_has_ended_stays_ended_in_a_new_graph() -> None:
    """The longer one changes its size after the shorter one is over."""
    with rw.Session() as session:
        long, short = session.load("concat"), session.load("testvideo:size=64x64:duration=0.4")
        for size in ("64x64", "64x48"):
            session.load(f"testvideo:size={size}:duration=1") >> long
        over = session.load("avfilter", graph="[0][1]overlay=eof_action=pass")
        sink = session.add(Collect())
        long >> over
        short >> over
        over >> sink
        session.run()
    assert isinstance(sink, Collect)
    assert len(sink.only.packets) == 50
