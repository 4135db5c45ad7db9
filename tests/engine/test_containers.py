"""What containers want to be told, and what they cannot take, beyond those of test_remux_matrix."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

import reelway as rw
from reelway.errors import FormatError
from reelway.filters.simple import Forward
from tests.engine.remuxing import remux
from tests.media import make, probe


@pytest.fixture
def with_timecode(tmp_path: Path) -> Path:
    """A film as cameras write it: its first timecode has a track of its own."""
    path = tmp_path / "camera.mov"
    with av.open(str(make.media("film.mp4"))) as source, av.open(str(path), "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in source.streams]
        copies[0].metadata["timecode"] = "01:02:03:04"
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                output.mux_one(packet)
    return path


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (source, target)
        for source in ("film.mp4", "film.mkv", "film.flv", "film.ts")
        for target in ("avi", "mpg", "vob", "wtv")
    ]
    + [("hevc.mp4", "mpg"), ("hevc.mkv", "vob")],
)
def test_parameter_sets_go_into_the_stream(source: str, target: str, tmp_path: Path) -> None:
    path, result = make.media(source), tmp_path / f"out.{target}"
    with rw.Session() as session:
        session.load_src(str(path)).video >> session.load_dst(str(result))
        session.run()
    assert probe.counters(result) == probe.counters(path)


def test_avi_and_back_keeps_the_times(tmp_path: Path) -> None:
    middle, result = tmp_path / "middle.avi", tmp_path / "out.mp4"
    rw.run(str(make.media("film.mp4")), str(middle))
    rw.run(str(middle), str(result))
    before, after = (
        sorted(packet.pts or 0 for packet in probe.packets(path)[0].packets)
        for path in (make.media("film.mp4"), result)
    )
    assert [time - after[0] for time in after] == [time - before[0] for time in before]


@pytest.mark.parametrize("target", ["mov", "mp4", "mkv"])
def test_a_timecode_is_kept_and_no_file_is_broken_by_it(
    target: str, with_timecode: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = tmp_path / f"out.{target}"
    rw.run(str(with_timecode), str(result))
    assert "cannot hold unknown (demux.data1): left out" in caplog.text
    with av.open(str(result)) as container:
        metadata = {key.lower(): text for key, text in container.streams[0].metadata.items()}
        assert metadata["timecode"] == "01:02:03:04"
    assert probe.counters(result) == probe.counters(make.media("film.mp4"))


# --- damaged input -----------------------------------------------------------------------------------


def test_a_packet_that_is_refused_is_named_and_the_source_blamed(tmp_path: Path) -> None:
    data = bytearray(make.media("film.flv").read_bytes())
    at = data.find(b"\xaf\x00")  # the configuration of AAC (FLV 10.1, E.4.2), which becomes a packet
    data[at + 1] = 1
    (tmp_path / "damaged.flv").write_bytes(data)
    with pytest.raises(
        FormatError, match=r"out\.mkv: .* when demux\.audio1 at 0\.\d{3} s was written"
    ) as caught:
        rw.run(str(tmp_path / "damaged.flv"), str(tmp_path / "out.mkv"))
    assert str(caught.value.hint).startswith("the source is damaged there")


class Breaks(Forward):
    """One packet of sound loses what it begins with."""

    number = 0

    def process(self) -> float | None:
        for pid in self.ipids:
            assert pid.output is not None
            for packet in pid:
                self.number += pid.properties["StreamType"] == "Audio"
                if self.number == 50:
                    packet.payload = bytes(packet.size)
                pid.output.send(packet)
        return None


def test_and_the_stream_where_a_filter_made_it(tmp_path: Path) -> None:
    times = [packet.pts for packet in probe.packets(make.media("film.ts"))[1].packets]
    with pytest.raises(FormatError, match=rf"when Breaks\.audio1 at {float(times[49] or 0):.3f} s") as caught:
        remux(make.media("film.ts"), tmp_path / "out.mp4", Breaks())
    assert str(caught.value.hint).startswith("the stream is damaged there")
