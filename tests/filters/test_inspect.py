"""The inspector's lines, against what is in the file."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import hypothesis
import pytest
from hypothesis import strategies

import reelway as rw
from reelway.filters.report import Custom, Passed
from tests.filters.parts import Source
from tests.media import make


def inspect(options: str, source: Any = "film.mp4", kind: str = "", **more: Any) -> str:
    """What `inspect` writes of a file, or of one stream of it."""
    log = io.StringIO()
    with rw.Session() as session:
        known = isinstance(source, str)
        reader = session.load_src(str(make.media(source))) if known else session.add(source)
        first: Any = getattr(reader, kind) if kind else reader
        first >> session.load(f"inspect{options}", log=log, **more)
        session.run()
    return log.getvalue()


def coded(name: str, kind: str) -> list[tuple[Any, ...]]:
    """dts, cts, duration, keyframe, bytes of each packet, read without Reelway."""
    with av.open(str(make.media(name))) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [
            (packet.dts, packet.pts, packet.duration, int(packet.is_keyframe), bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]


def test_properties_in_gpac_s_form() -> None:
    lines = inspect("").splitlines()
    assert lines[0] == "PID 1 name video1 configure - properties:"
    assert "PID 2 name audio1 configure - properties:" in lines
    for wanted in ("StreamType: Visual", "CodecID: h264", "Width: 320", "FPS: 25", "SampleRate: 48000"):
        assert f"\t{wanted}" in lines
    assert any(line.startswith("\tDecoderConfig: 36 bytes 0x014D40") for line in lines)
    assert not any("PCK" in line for line in lines)


@pytest.mark.parametrize(
    "name", ["film.mp4", "film.mkv", "film.ts", "subtitles.mp4", "mjpeg.mov", "tone.flac"]
)
@pytest.mark.parametrize("options", ["", ":full=0", ":fmt=json", ":deep", ":fmt=json:deep"])
def test_no_object_of_a_filter_is_written(name: str, options: str) -> None:
    text = inspect(options, name)
    assert "StreamInfo" not in text
    assert "object at" not in text


def test_one_line_a_stream() -> None:
    first, second = inspect(":full=0").splitlines()
    assert first.startswith("PID 1 name video1 StreamType Visual CodecID h264")
    assert second.startswith("PID 2 name audio1 StreamType Audio CodecID aac")


def test_every_packet() -> None:
    lines = [line for line in inspect(":deep", kind="video").splitlines() if "PCK" in line]
    assert lines == [
        f"PID 1 PCK {number} - full frame dts {dts} cts {cts} dur {duration} sap {sap} corr 0 seek 0 "
        f"size {len(data)} CRC32 0x{zlib.crc32(data):08X}"
        for number, (dts, cts, duration, sap, data) in enumerate(coded("film.mp4", "video"), 1)
    ]


def test_a_form_of_one_s_own() -> None:
    packets = coded("film.mp4", "video")
    lines = inspect(":fmt=%dts%-%cts%", kind="video").splitlines()
    assert lines[0] == "dts-cts"
    assert lines[1:] == [f"{dts}-{cts}" for dts, cts, *_ in packets]

    lines = inspect("", kind="video", fmt="PID $pid.ID$ packet $pn$ DTS $dts$ CTS $cts$ $lf$").splitlines()
    assert lines[0] == "PID ID packet pn DTS dts CTS cts "
    assert lines[10] == f"PID 1 packet 10 DTS {packets[9][0]} CTS {packets[9][1]} "


def test_tokens() -> None:
    wanted = {
        "pn": "2", "dts": "3601000", "ddts": "1000", "cts": "3602500", "dcts": "2500", "ctso": "1500",
        "dur": "1500", "frame": "frame_full", "sap": "0", "rap": "0", "corr": "1", "seek": "0", "disc": "0",
        "size": "3", "csize": "5", "data": "abc", "crc": "0x352441C2",
        "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
        "start": "01:00:02.500", "startc": "01:00:02,500", "end": "01:00:04.000", "endc": "01:00:04,000",
        "bo": "N/A", "ilace": "0", "fn": "inspect", "nothing": "", "Note": "here", "SenderNTP": "7",
        "pid.Width": "320", "pid.WIDT": "320", "pid.FPS": "25",
    }  # fmt: skip
    first = rw.Packet(b"ab", 3_600_000, 3_600_000, 1000, 1)
    second = rw.Packet(b"abc", 3_601_000, 3_602_500, 1500)
    second.corrupted = True
    second.properties = {"Note": "here", "SenderNTP": 7}
    form = "|".join(f"@{token}@" for token in wanted)
    text = inspect("", Source([first, second], Width=320, FPS=25), fmt=form, hdr=False)
    assert dict(zip(wanted, text.splitlines()[1].split("|"), strict=True)) == wanted


def test_what_is_not_known_is_n_a() -> None:
    text = inspect(
        "",
        Source([rw.Packet(object(), size=9)]),
        fmt="$dts$ $cts$ $dur$ $crc$ $frame$ $start$ $size$",
        hdr=False,
    )
    assert text == "N/A N/A N/A N/A interface N/A 9\n"
    line = inspect(":deep", Source([rw.Packet(object(), size=9)])).splitlines()[-1]
    assert line == "PID 1 PCK 1 - interface dts N/A cts N/A dur N/A sap 0 corr 0 seek 0 size 9 CRC32 N/A"


def test_json_lines() -> None:
    lines = [json.loads(line) for line in inspect(":fmt=json:deep:hash=sha1", "cif30.mp4").splitlines()]
    streams = [line for line in lines if "properties" in line]
    assert [(line["pid"], line["name"]) for line in streams] == [(1, "video1"), (2, "audio1")]
    assert streams[0]["properties"]["FPS"] == "30000/1001"
    assert streams[0]["properties"]["Width"] == 320
    assert bytes.fromhex(streams[0]["properties"]["DecoderConfig"])[0] == 1
    packets = [line for line in lines if line.get("packet") and line["pid"] == 1]
    assert [(p["dts"], p["cts"], p["duration"], p["sap"], p["size"]) for p in packets] == [
        (dts, cts, duration, sap, len(data)) for dts, cts, duration, sap, data in coded("cif30.mp4", "video")
    ]
    assert all(len(packet["sha1"]) == 40 for packet in packets)
    assert len([json.loads(line) for line in inspect(":fmt=json").splitlines()]) == 2


def test_packet_properties_and_flags() -> None:
    packet = rw.Packet(b"abc", 0, 0, sap=1)
    packet.properties = {"Note": "here", "Thing": object()}
    packet.discontinuity = True
    text = inspect(":deep:hash=no", Source([packet.clone()]))
    assert text.endswith("sap 1 corr 0 seek 0 discontinuity 1 size 3\n\tNote: here\n")
    assert "Note" not in inspect(":deep:props=no", Source([packet.clone()]))
    assert inspect(":deep:dump_data:hash=no:props=no", Source([packet.clone()])).endswith(
        "size 3 data 616263\n"
    )
    (_, line) = inspect(":deep:fmt=json:dump_data", Source([packet.clone()])).splitlines()
    assert json.loads(line)["properties"] == {"Note": "here"}
    assert json.loads(line)["discontinuity"] is True
    assert json.loads(line)["data"] == "616263"


def test_stream_after_stream() -> None:
    mixed = [line.split()[1] for line in inspect(":deep").splitlines() if "PCK" in line]
    apart = [line.split()[1] for line in inspect(":deep:interleave=no").splitlines() if "PCK" in line]
    assert sorted(mixed) == apart
    assert mixed != apart


def test_new_properties_and_a_restart() -> None:
    class Changing(Source):
        def process(self) -> None:
            pid = self.opids[0]
            pid.send(rw.Packet(b"a"))
            pid.set(Width=640, Height=None)
            pid.send(rw.Packet(b"b"))
            pid.restart()
            pid.send(rw.Packet(b"c"))
            pid.end()

    lines = inspect(":deep", Changing([], Width=320, Height=240)).splitlines()
    kinds = [line for line in lines if not line.startswith("\t")]
    assert [line.split(" ", 2)[2].split(" - ")[0] for line in kinds] == [
        "name stream configure", "PCK 1", "name stream reconfigure", "PCK 2", "name stream restart", "PCK 3"
    ]  # fmt: skip
    assert "\tWidth: 640" in lines[lines.index(kinds[2]) :]
    assert "\tHeight: 240" not in lines[lines.index(kinds[2]) :]


def test_into_a_file_of_its_own_or_of_the_caller(tmp_path: Path) -> None:
    wanted = inspect(":deep")
    path = tmp_path / "log.txt"
    rw.run(str(make.media("film.mp4")), "null", "tee")
    for log in (path, str(path)):
        with rw.Session() as session:
            session.load_src(str(make.media("film.mp4"))) >> session.load("inspect:deep", log=log)
            session.run()
        assert path.read_text() == wanted
        path.unlink()
    with rw.Session() as session:
        session.load_src(str(make.media("film.mp4"))) >> session.load(f"inspect:deep:log={path}")
        session.run()
    assert path.read_text() == wanted
    raw = io.BytesIO()
    with rw.Session() as session:
        session.load_src(str(make.media("film.mp4"))) >> session.load("inspect:deep", log=raw)
        session.run()
    assert raw.getvalue().decode() == wanted
    assert not raw.closed


def test_the_standard_streams_and_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    wanted = inspect("")
    for log in ("stdout", "stderr", "null", "GLOG"):
        with rw.Session() as session, caplog.at_level(logging.INFO, logger="reelway.filters"):
            session.load_src(str(make.media("film.mp4"))) >> session.load(f"inspect:log={log}")
            session.run()
        seen = capsys.readouterr()
        assert (seen.out, seen.err) == (wanted * (log == "stdout"), wanted * (log == "stderr"))
    assert "PID 1 name video1 configure - properties:" in caplog.text


def test_a_reader_that_has_seen_enough_ends_the_session(tmp_path: Path) -> None:
    """As with `| head`: no error, and the rest of a long film is not read."""
    program = """
import sys, reelway as rw
with rw.Session() as session:
    source = session.load_src(sys.argv[1])
    source >> session.load("inspect:deep")
    session.run()
print([f.packets_out for f in session.statistics().filters if f.name == "demux"][0], file=sys.stderr)
sys.stdout = None
"""
    command = [sys.executable, "-c", program, str(make.media("long.mp4"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("PID 1")
        process.stdout.close()
        sent = process.stderr.readline()
        assert process.wait(timeout=30) in (0, 120)  # 120: the interpreter could not flush what nobody reads
    assert int(sent) < 20000


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    class Broken:
        def write(self, text: str) -> None:
            if text:
                raise OSError(28, "No space left on device")

    def to(log: Any) -> None:
        with rw.Session() as session:
            session.load_src(str(make.media("film.mp4"))) >> session.load("inspect", log=log)
            session.run()

    with pytest.raises(rw.OpenError, match="No space left on device"):
        to(Broken())
    with pytest.raises(rw.OpenError, match="cannot write to .*nowhere"):
        to(tmp_path / "nowhere" / "log.txt")
    with pytest.raises(rw.OptionError, match="is no path and no object with write"):
        to(17)


def test_secrets_are_hidden() -> None:
    text = inspect("", Source([rw.Packet(b"x")], URL="rtsp://me:q7xsecret@camera/1"))
    assert "secret" not in text
    assert "rtsp://me:***@camera/1" in text
    assert "secret" not in inspect(":fmt=json", Source([rw.Packet(b"x")], URL="rtsp://me:q7xsecret@camera/1"))


@hypothesis.given(strategies.text("$%@.abdnpst \n", max_size=30))
def test_any_form_is_a_form(form: str) -> None:
    """Whatever stands in it: no error, and a line a packet."""
    hypothesis.assume(form not in ("", "json"))
    report = Custom(form, head=True, filter_name="x")
    passed: Any = Passed(1, SimpleNamespace(properties={"Timescale": 1000}))  # type: ignore[arg-type]
    assert report.packet(passed, rw.Packet(b"ab", 1, 2, 3)).count("\n") >= 1
    assert report.head().count("\n") >= 1
