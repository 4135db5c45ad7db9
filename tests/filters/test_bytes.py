"""bytesource and bytesink: the bytes that came, and those that a player or GStreamer would read."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import reelway as rw
from reelway.filters.bytesink import ByteSink
from reelway.filters.bytesource import ByteSource
from reelway.filters.frames import frame_of
from reelway.filters.sound import to_floats
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect, Feed, numbered
from tests.filters.raw import noise, picture_properties, sound, sound_properties
from tests.media import make

CONTENT = bytes(range(256)) * 100


def read(source: Any, **options: Any) -> list[bytes]:
    sink = Collect()
    with rw.Session() as session:
        session.add(ByteSource(src=source, **options)) >> session.add(sink)
        session.run()
    assert sink.only.properties["StreamType"] == "File"
    assert sink.only.ended
    return [bytes(packet.data) for packet in sink.only.packets]


def written(packets: list[rw.Packet], properties: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    with rw.Session() as session:
        session.add(Feed(packets, properties=properties)) >> session.add(ByteSink(dst=target))
        session.run()
    return target.getvalue()


# Reading


def test_a_file_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a b.bin"
    path.write_bytes(CONTENT)
    for source in (path, str(path), path.as_uri()):
        blocks = read(source)
        assert b"".join(blocks) == CONTENT
        assert {len(block) for block in blocks[:-1]} == {4096}
    assert read(path, block_size=100, blocks=3) == [CONTENT[at : at + 100] for at in (0, 100, 200)]


def test_an_object_stays_open() -> None:
    source = io.BytesIO(CONTENT)
    assert b"".join(read(source)) == CONTENT
    assert not source.closed


def test_a_descriptor_gives_what_is_there() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(CONTENT[:5000])
    assert b"".join(read(reader)) == CONTENT[:5000]
    os.close(reader)  # it was left open


def test_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(CONTENT)

        thread = threading.Thread(target=serve)
        thread.start()
        blocks = read(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert b"".join(blocks) == CONTENT


def test_a_silent_descriptor_lets_the_session_stop() -> None:
    reader, writer = os.pipe()
    sink = Collect()
    with rw.Session() as session:
        session.add(ByteSource(src=reader)) >> session.add(sink)
        session.post(session.stop)
        session.run()
    os.close(reader)
    os.close(writer)
    assert sink.closed == 1


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("missing.bin", rw.OpenError, "missing.bin cannot be read: No such file"),
        ("http://host/film.mp4", rw.OptionError, "http://host/film.mp4 is no file"),
        ("tcp://127.0.0.1:1", rw.OpenError, "cannot be read: Connection refused"),
    ],
)
def test_what_cannot_be_read(source: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(source)


def test_it_is_stopped_by_who_reads(tmp_path: Path) -> None:
    with open("/dev/zero", "rb", buffering=0) as zeros, rw.Session() as session:
        sink = session.load("null:most=5")
        session.add(ByteSource(src=zeros)) >> sink
        session.run()
    assert sink.packets == 5  # type: ignore[attr-defined]


# Writing


def test_the_contract_is_kept() -> None:
    check_filter(lambda: ByteSink(dst=io.BytesIO()), numbered(20))


def test_packets_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "out.bin"
    path.write_bytes(b"before")
    for append, expected in ((True, b"before" + CONTENT), (False, CONTENT)):
        with rw.Session() as session:
            source, sink = ByteSource(src=io.BytesIO(CONTENT)), ByteSink(dst=path, append=append)
            session.add(source) >> session.add(sink)
            session.run()
        assert path.read_bytes() == expected
        assert sink.bytes == len(CONTENT)


@pytest.mark.parametrize("format", ["yuv420p", "nv12", "yuv422p", "rgb24", "gray", "bgra", "yuv420p10le"])
@pytest.mark.parametrize("size", [(32, 24), (30, 18), (33, 17)])
def test_pictures_lie_as_gstreamer_has_them(format: str, size: tuple[int, int], tmp_path: Path) -> None:
    """Lines are whole groups of 4 bytes; behind an odd number of luma lines comes one more."""
    width, height = size
    packets, properties = noise(format, width, height, 2), picture_properties(format, width, height)
    data = written(packets, properties)
    at = 0
    for packet in packets:
        for plane in frame_of(packet, properties).planes():
            rows = np.ascontiguousarray(plane).view(np.uint8).reshape(plane.shape[0], -1)
            stride = -(-rows.shape[1] // 4) * 4
            for row in rows:
                assert data[at : at + len(row)] == row.tobytes()
                at += stride
            if format in ("yuv420p", "nv12", "yuv420p10le") and plane.shape[0] == height:
                at += stride * (height % 2)
    assert at == len(data)


@pytest.mark.debian("gstreamer1.0-plugins-base")
@pytest.mark.parametrize(
    ("format", "name"), [("yuv420p", "I420"), ("nv12", "NV12"), ("rgb24", "RGB"), ("gray", "GRAY8")]
)
@pytest.mark.parametrize("size", [(64, 48), (33, 17)])
def test_a_picture_is_as_large_as_that_of_gstreamer(
    format: str, name: str, size: tuple[int, int], tmp_path: Path, debian_tool: Any
) -> None:
    width, height = size
    target = tmp_path / "gst.raw"
    text = (
        f"videotestsrc num-buffers=1 ! video/x-raw,format={name},width={width},height={height}"
        f" ! filesink location={target}"
    )
    subprocess.run([debian_tool("gst-launch-1.0"), "-q", *text.split()], check=True, timeout=60)
    mine = written(noise(format, width, height, 1), picture_properties(format, width, height))
    assert len(mine) == target.stat().st_size


@pytest.mark.parametrize("format", ["s16", "s16p", "flt", "fltp"])
def test_sound_is_interleaved(format: str) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (500, 2))
    packets = sound(samples, format)
    data = written(packets, sound_properties(channels=2, format=format))
    expected = np.concatenate([to_floats(packet.payload) for packet in packets])
    whole = format.startswith("s16")
    found = np.frombuffer(data, np.int16 if whole else np.float32).reshape(-1, 2).astype(float)
    assert found / (32768 if whole else 1) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "kind", "ending"), [("film.mp4", "video", "h264"), ("film.mp4", "audio", "aac")]
)
def test_what_is_coded_can_be_played(name: str, kind: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{ending}"
    film = make.media(name)
    with rw.Session() as session:
        source = session.load_src(film)
        (source.video if kind == "video" else source.audio) >> session.add(ByteSink(dst=path))
        session.run()
    with av.open(str(film)) as original, av.open(str(path)) as copy:
        before = sum(1 for _ in original.decode(**{kind: 0}))
        after = sum(1 for _ in copy.decode(**{kind: 0}))
    assert abs(before - after) <= (0 if kind == "video" else 1)  # of AAC, the priming is not left out


@pytest.mark.parametrize(("codec", "ending"), [("libx264", "h264"), ("libx265", "h265"), ("aac", "aac")])
def test_what_an_encoder_makes_can_be_played(codec: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{ending}"
    source = "testaudio:duration=1" if codec == "aac" else "testvideo:frames=25:size=128x96"
    with rw.Session() as session:
        options = {} if codec == "aac" else {"preset": "ultrafast"}
        encoder = session.load("encode", codec=codec, **options)
        session.load(source) >> encoder >> session.add(ByteSink(dst=path))
        plan = str(session.explain())
        session.run()
    assert "decode" not in plan
    with av.open(str(path)) as container:
        frames = sum(1 for _ in container.decode(container.streams[0]))
    assert frames == (25 if codec != "aac" else 48)


def test_parameter_sets_are_not_written_twice(tmp_path: Path) -> None:
    first, second = tmp_path / "first.h264", tmp_path / "second.h264"
    with rw.Session() as session:
        session.load_src(make.media("film.mp4")).video >> session.add(ByteSink(dst=first))
        session.run()
    with rw.Session() as session:
        session.load_src(first) >> session.add(ByteSink(dst=second))
        session.run()
    assert second.read_bytes() == first.read_bytes()


def test_flac_has_its_header(tmp_path: Path) -> None:
    path = tmp_path / "out.flac"
    with rw.Session() as session:
        source = session.load("testaudio:duration=1:channels=1")
        source >> session.load("encode:codec=flac") >> session.add(ByteSink(dst=path))
        session.run()
    with av.open(str(path)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 48000


def test_a_descriptor_and_a_connection() -> None:
    reader, writer = os.pipe()
    with rw.Session() as session:
        session.add(ByteSource(src=io.BytesIO(CONTENT[:3000]))) >> session.add(ByteSink(dst=writer))
        session.run()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == CONTENT[:3000]
    got = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while block := connection.recv(65536):
                    got.extend(block)

        thread = threading.Thread(target=serve)
        thread.start()
        with rw.Session() as session:
            sink = session.add(ByteSink(dst=f"tcp://127.0.0.1:{server.getsockname()[1]}"))
            session.add(ByteSource(src=io.BytesIO(CONTENT))) >> sink
            session.run()
        thread.join()
    assert got == CONTENT


def test_a_datagram_for_each_packet() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        with rw.Session() as session:
            sink = session.add(ByteSink(dst=f"udp://127.0.0.1:{receiver.getsockname()[1]}"))
            session.add(Feed(numbered(5))) >> sink
            session.run()
        received = [receiver.recv(65536) for _ in range(5)]
    assert received == [bytes(packet.data) for packet in numbered(5)]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("missing/out.bin", "missing/out.bin cannot be written: No such file"),
        ("/dev/full", "writing /dev/full failed: No space left"),
        ("tcp://127.0.0.1:1", "cannot be written: Connection refused"),
    ],
)
def test_what_cannot_be_written(target: str, message: str) -> None:
    def write() -> None:
        with rw.Session() as session:
            source = session.add(ByteSource(src=io.BytesIO(CONTENT * 10)))
            source >> session.add(ByteSink(dst=target))
            session.run()

    with pytest.raises(rw.OpenError, match=message):
        write()
