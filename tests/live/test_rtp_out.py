"""What `rtpsink` sends: read by our own `live`, by ffmpeg and GStreamer, and looked at packet by packet."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from reelway.engine.rtptimes import Lane, Timeline
from reelway.engine.streaminfo import StreamInfo, describe
from reelway.testing.clock import VirtualClock
from tests.display.showing import until
from tests.live.serving import FPS, free_port, wait_for_file
from tests.live.watching import Watch, WatchSound, frames, rises
from tests.media import make

GROUP = "239.255.41.9"
LOOP = {"localaddr": "127.0.0.1"}
GOP = 12
PLAIN_S = 8
WIDTH, HEIGHT = 320, 240
NTP_S = 2_208_988_800


def film(folder: Path, video: str | None = "libx264", audio: str | None = None, **told: Any) -> Path:
    """Pictures with counters, a keyframe every twelve."""
    sound = told.pop("sound", {})
    sound = [make.Track(audio, **sound)] if audio else []
    told = {"seconds": 16, "fps": FPS, "gop": GOP, "bframes": 0, **told}
    return make.film(
        folder / f"{video}-{audio}.{told.pop('ending', 'mkv')}", video=video, audio=sound, **told
    )


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 with B-frames and AAC, in the form of MP4."""
    return film(tmp_path_factory.mktemp("rtp"), audio="aac", ending="mp4", bframes=2, seconds=PLAIN_S)


@contextlib.contextmanager
def sending(source: Path | rw.Filter, url: str, **told: Any) -> Iterator[Any]:
    """The sink of a session that runs in a thread of its own, and is stopped in the end."""
    session = rw.Session()
    with session:
        begin = session.load_src(str(source)) if isinstance(source, Path) else session.add(source)
        sink = session.load_dst(url, **told)
        begin >> sink
        failures: list[Exception] = []

        def run() -> None:
            try:
                session.run()
            except Exception as error:  # noqa: BLE001 - raised below
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield sink
        finally:
            session.stop("fast")
            thread.join(10)
        assert not thread.is_alive()
        if failures:
            raise failures[0]


def contiguous(numbers: Sequence[int]) -> bool:
    return all(a + 1 == b for a, b in pairwise(numbers))


def read(sdp: Path, watch: Watch, **told: Any) -> Watch:
    with rw.Session() as session:
        session.load_src(str(sdp), **told) >> session.add(watch)
        session.run()
    return watch


# What our own source makes of it


@pytest.mark.parametrize(
    ("codec", "told"),
    [
        ("libx264", r"96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42C0\w\w;sprop-param"),
        ("libx265", r"96 H265/90000\r\na=fmtp:96 sprop-vps=\S+;sprop-sps=\S+;sprop-pps=\S+\r"),
        ("mpeg4", r"96 MP4V-ES/90000\r\na=fmtp:96 profile-level-id=1;config=000001B001\w+\r"),
        ("mpeg2video", r"32 MPV/90000\r"),
        ("libvpx", r"96 VP8/90000\r"),
        ("libvpx-vp9", r"96 VP9/90000\r"),
        ("libsvtav1", r"96 AV1/90000\r"),
    ],
)
def test_pictures(codec: str, told: str, tmp_path: Path) -> None:
    made, sdp = film(tmp_path, codec), tmp_path / "out.sdp"
    with sending(made, f"rtp://127.0.0.1:{free_port() & ~1}", sdp=sdp) as sink:
        wait_for_file(sdp)
        watch = read(sdp, Watch(frames(30)))
        assert re.search(f"a=rtpmap:{told}", sink.sdp_text), sink.sdp_text
    assert contiguous(watch.counters)
    assert watch.counters[0] % GOP == 0
    assert rises(watch.times)


@pytest.mark.parametrize(
    ("codec", "told", "rtpmap"),
    [
        ("aac", {}, "96 mpeg4-generic/48000/2"),
        ("aac", {"channels": 1, "rate": 16000}, "96 mpeg4-generic/16000"),
        ("libopus", {}, "96 opus/48000/2"),
        ("libopus", {"channels": 1}, "96 opus/48000/2"),
        ("pcm_mulaw", {"channels": 1, "rate": 8000}, "0 PCMU/8000"),
        ("pcm_mulaw", {"channels": 2, "rate": 16000}, "96 PCMU/16000/2"),
        ("pcm_s16be", {"rate": 44100}, "10 L16/44100/2"),
        ("libmp3lame", {}, "14 MPA/90000"),
        ("mp2", {}, "14 MPA/90000"),
    ],
)
def test_sound(codec: str, told: dict[str, int], rtpmap: str, tmp_path: Path) -> None:
    ending = "mov" if codec == "pcm_mulaw" else "mkv"
    made, sdp = film(tmp_path, None, codec, sound=told, ending=ending), tmp_path / "out.sdp"
    with sending(made, f"rtp://127.0.0.1:{free_port() & ~1}", sdp=sdp) as sink:
        wait_for_file(sdp)
        watch = WatchSound(lambda watch: watch.times[-1] - watch.times[0] > watch.properties["Timescale"])
        read(sdp, watch)
        assert f"a=rtpmap:{rtpmap}\r\n" in sink.sdp_text
    assert watch.properties["SampleRate"] == told.get("rate", 48000)
    assert rises(watch.times)
    steps = [b - a for a, b in pairwise(watch.times)]
    assert max(steps) / watch.properties["Timescale"] < 0.13  # no hole


def test_sound_stays_with_the_picture(plain: Path, tmp_path: Path) -> None:
    sdp = tmp_path / "out.sdp"
    with sending(plain, f"rtp://{GROUP}:{free_port() & ~1}", sdp=sdp, localaddr="127.0.0.1"):
        wait_for_file(sdp)
        with rw.Session() as session:
            source = session.load_src(str(sdp), ffmpeg=LOOP)
            watch = session.add(Watch(frames(60)))
            sound = session.add(WatchSound(lambda _: False))
            source.video >> watch
            source.audio >> sound
            session.run()
    assert isinstance(watch, Watch)
    assert isinstance(sound, Watch)
    assert contiguous(watch.counters)
    walls = [each.wall_ns[10] or 0 for each in (watch, sound)]
    media_s = [watch.counters[10] / FPS, (sound.times[10] - sound.times[0]) / 48000]
    # both say when on the sender's clock; and that says where in the film
    zeros = [wall / 1e9 - at_s for wall, at_s in zip(walls, media_s, strict=True)]
    assert abs(zeros[0] - time.time()) < 60
    first_s = (
        sound.times[0] / 48000 - watch.times[0] / watch.properties["Timescale"] + watch.counters[0] / FPS
    )
    assert abs(zeros[1] - first_s - zeros[0]) < 0.06


@pytest.mark.parametrize("form", ["ts", "mp4"])
def test_what_is_raw_or_in_another_form_is_made_fit(form: str, tmp_path: Path) -> None:
    """AAC of MPEG-TS has no configuration apart, H.264 of MP4 one; raw pictures are to be coded."""
    made, sdp = film(tmp_path, audio="aac", ending=form), tmp_path / "out.sdp"
    with sending(made, f"rtp://127.0.0.1:{free_port() & ~1}", sdp=sdp) as sink:
        wait_for_file(sdp)
        watch = read(sdp, Watch(frames(15)))
    assert contiguous(watch.counters)
    assert "mode=AAC-hbr" in sink.sdp_text
    assert "config=1190" in sink.sdp_text


def test_raw_pictures_and_sound_become_h264_and_opus(tmp_path: Path) -> None:
    port, sdp = free_port() & ~1, tmp_path / "out.sdp"
    with rw.Session() as session:
        pictures = session.load("testvideo", size="320x240", duration=1)
        sound = session.load("testaudio", duration=1)
        sink: Any = session.load_dst(f"rtp://127.0.0.1:{port}", sdp=str(sdp), rt="off")
        pictures >> sink
        sound >> sink
        session.run()
    assert sink.lost == 0
    text = sdp.read_text()
    assert f"m=video {port} RTP/AVP 96" in text
    assert f"m=audio {port + 2} RTP/AVP 97\na=rtpmap:97 opus/48000/2" in text


# What others make of it


def test_ffmpeg_reads_it(plain: Path, tmp_path: Path, debian_tool: Callable[[str], Path]) -> None:
    sdp = tmp_path / "out.sdp"
    ffmpeg = debian_tool("ffmpeg")
    with sending(plain, f"rtp://{GROUP}:{free_port() & ~1}", sdp=sdp, localaddr="127.0.0.1"):
        wait_for_file(sdp)
        command = f"{ffmpeg} -v error -nostdin -protocol_whitelist file,rtp,udp -localaddr 127.0.0.1 -i {sdp}"
        numbers, ended = luma(f"{command} -map 0:v -f rawvideo -pix_fmt gray -", None)
    numbers = list(dict.fromkeys(numbers))  # it repeats the first one until the sound begins
    assert contiguous(numbers)
    assert numbers[-1] == PLAIN_S * FPS - 1  # to the end, of which it is told
    assert ended == 0
    assert len(numbers) > PLAIN_S * FPS // 2


def test_ffmpeg_reads_vp9(tmp_path: Path, debian_tool: Callable[[str], Path]) -> None:
    made, sdp = film(tmp_path, "libvpx-vp9"), tmp_path / "out.sdp"
    ffmpeg = debian_tool("ffmpeg")
    with sending(made, f"rtp://127.0.0.1:{free_port() & ~1}", sdp=sdp):
        wait_for_file(sdp)
        command = f"{ffmpeg} -v error -nostdin -protocol_whitelist file,rtp,udp -i {sdp}"
        numbers, _ = luma(f"{command} -f rawvideo -pix_fmt gray -", 30)
    assert contiguous(list(dict.fromkeys(numbers)))


def test_ffprobe_knows_its_streams(plain: Path, tmp_path: Path, debian_tool: Callable[[str], Path]) -> None:
    sdp = tmp_path / "out.sdp"
    with sending(plain, f"rtp://127.0.0.1:{free_port() & ~1}", sdp=sdp):
        wait_for_file(sdp)
        entries = "stream=codec_name,width,sample_rate,channels"
        command = [str(debian_tool("ffprobe")), "-v", "error", "-protocol_whitelist", "file,rtp,udp"]
        said = subprocess.run(
            [*command, "-show_entries", entries, "-of", "csv=p=0", str(sdp)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert said.stdout.split() == ["h264,320", "aac,48000,2"]


def test_gstreamer_reads_it(plain: Path, tmp_path: Path, debian_tool: Callable[[str], Path]) -> None:
    gst = debian_tool("gst-launch-1.0")
    sdp, port = tmp_path / "out.sdp", free_port() & ~1
    with sending(plain, f"rtp://{GROUP}:{port}", sdp=sdp, localaddr="127.0.0.1") as sink:
        wait_for_file(sdp)
        sets = sink.sdp_text.partition("sprop-parameter-sets=")[2].partition("\r")[0]
        caps = (
            "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96,"
            f'sprop-parameter-sets=(string)"{sets}"'
        )
        numbers, _ = luma(
            f"{gst} -q udpsrc address={GROUP} port={port} multicast-iface=lo caps='{caps}' ! rtpjitterbuffer"
            " ! rtph264depay wait-for-keyframe=true ! h264parse ! avdec_h264 ! videoconvert"
            " ! video/x-raw,format=GRAY8 ! fdsink",
            40,
        )
    assert contiguous(numbers)
    assert numbers[0] % GOP == 0


def luma(command: str, count: int | None) -> tuple[list[int], int | None]:
    """The counters of so many pictures that a command writes, all where nothing is said, and how it ended."""
    peer = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert peer.stdout is not None
    found: list[int] = []
    with contextlib.closing(peer.stdout) as output:
        while count is None or len(found) < count:
            data = output.read(WIDTH * HEIGHT)
            if len(data) < WIDTH * HEIGHT:
                break
            found.append(make.read_counter(numpy.frombuffer(data, numpy.uint8).reshape(HEIGHT, WIDTH)))
        if count is not None:
            peer.terminate()
    return found, peer.wait(20)


# Packet by packet


class Ear:
    """Listens at a pair of ports: `packets` of RTP and `reports`; `wait()` until there are enough."""

    def __init__(self, at: int | None = None) -> None:
        while True:
            self.port = at or free_port() & ~1
            self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            try:
                for number, each in enumerate(self._sockets):
                    each.bind(("127.0.0.1", self.port + number))
                break
            except OSError:
                if at:
                    raise
        self.packets: list[bytes] = []
        self.reports: list[bytes] = []
        self.first: Callable[[], None] = lambda: None
        self._threads = [threading.Thread(target=self._listen, args=(n,), daemon=True) for n in range(2)]
        for thread in self._threads:
            thread.start()

    def _listen(self, which: int) -> None:
        heard = (self.packets, self.reports)[which]
        while data := self._sockets[which].recv(65536):
            if not heard and not which:
                self.first()
            heard.append(data)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            for number in range(2):
                end.sendto(b"", ("127.0.0.1", self.port + number))
        for thread in self._threads:
            thread.join(5)
        for each in self._sockets:
            each.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


def field(packet: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(packet[at : at + size], "big")


def run(source: Path | rw.Filter, url: str, clock: Any = None, **told: Any) -> Any:
    with rw.Session(clock=clock) as session:
        begin = session.load_src(str(source)) if isinstance(source, Path) else session.add(source)
        sink = session.load_dst(url, **told)
        begin >> sink
        session.run()
    return sink


def test_the_sdp_is_whole_before_the_first_packet_goes(plain: Path, ear: Ear, tmp_path: Path) -> None:
    sdp = tmp_path / "out.sdp"
    sdp.write_text("of another sender\n" * 1000)
    seen: list[str] = []
    ear.first = lambda: seen.append(sdp.read_text())
    with sending(plain, f"rtp://127.0.0.1:{ear.port}", sdp=str(sdp)) as sink:
        until(lambda: bool(seen))
    assert seen[0].startswith("v=0\n")
    assert seen[0].replace("\n", "\r\n") == sink.sdp_text
    assert [path.name for path in tmp_path.iterdir()] == ["out.sdp"]
    assert sdp.stat().st_mode & 0o444 == 0o444
    sets = seen[0].partition("sprop-parameter-sets=")[2].partition("\n")[0].split(",")
    assert [base64.b64decode(each)[0] & 31 for each in sets] == [7, 8]


def test_a_pipeline_sends_by_it(ear: Ear, tmp_path: Path) -> None:
    text = (
        "videotestsrc num-buffers=5 ! x264enc ! r.sink_0  audiotestsrc num-buffers=5 ! opusenc ! r.sink_1 "
        "rtpsink name=r uri={url} sdp={sdp}"
    )
    with rw.launch(text, url=f"rtp://127.0.0.1:{ear.port}", sdp=tmp_path / "out.sdp") as app:
        app.wait(20)
        until(lambda: len(ear.packets) >= 5)
    kinds = re.findall(r"m=(\w+) (\d+) ", (tmp_path / "out.sdp").read_text())
    assert kinds == [("video", str(ear.port)), ("audio", str(ear.port + 2))]


def test_it_keeps_the_pace_of_the_media_and_says_when_each_picture_was(ear: Ear, tmp_path: Path) -> None:
    made, clock = film(tmp_path, seconds=4), VirtualClock()
    began_ns = time.time_ns()
    sink = run(made, f"rtp://127.0.0.1:{ear.port}", clock)
    assert clock.now() == pytest.approx(4 - 1 / FPS, abs=0.01)
    until(lambda: len(ear.packets) == sink.sent - len(ear.reports) and len(ear.reports) >= 5)
    numbers = [field(packet, 2, 2) for packet in ear.packets]
    assert contiguous(numbers)
    assert len({field(packet, 8) for packet in ear.packets}) == 1
    times = list(dict.fromkeys(field(packet, 4) for packet in ear.packets))
    assert {b - a & 0xFFFFFFFF for a, b in pairwise(times)} == {90000 // FPS}
    assert len(times) == 4 * FPS
    # a report each second: NTP, and what RTP says at that moment
    said = [(field(each, 8) - NTP_S + field(each, 12) / (1 << 32), field(each, 16)) for each in ear.reports]
    assert said[0][1] == times[0]
    assert said[0][0] == pytest.approx(began_ns / 1e9, abs=30)
    for (wall_s, _), (_, stamp), second in zip(said[:1] * 4, said, range(4), strict=False):
        assert (stamp - times[0] & 0xFFFFFFFF) / 90000 == pytest.approx(second, abs=0.05)
        assert said[second][0] - wall_s == pytest.approx(second, abs=0.05)
    last = ear.reports[-1]
    assert field(last, 20) == len(ear.packets)
    assert struct.unpack(">BBH", last[-8:-4]) == (0x81, 203, 1)  # goodbye
    assert last[-4:] == ear.packets[0][8:12]


def test_real_time_may_be_left_out(plain: Path, ear: Ear) -> None:
    clock = VirtualClock()
    sink = run(plain, f"rtp://127.0.0.1:{ear.port}", clock, rt="off")
    assert clock.now() < 1
    assert sink.sent > PLAIN_S * FPS


class Captured(rw.Filter):
    """H.264 of a film, as a camera gives it that says when each picture was taken."""

    outputs = (rw.Caps(),)
    live = True
    FIRST_NS = 1_000_000_000_123_456_789

    def __init__(self, film: Path) -> None:
        super().__init__(name="camera")
        self.container = av.open(str(film))
        stream = self.container.streams.video[0]
        self.properties = describe(stream, StreamInfo.of(stream))
        self.left = self.container.demux(stream)

    def open(self) -> None:
        self.out = self.new_pid("video", **self.properties)

    def process(self) -> float | None:
        for number, payload in enumerate(self.left):
            if not payload.size:
                break
            packet = rw.Packet(payload, payload.dts, payload.pts, payload.duration, int(payload.is_keyframe))
            packet.capture_time = self.FIRST_NS + number * 1_000_000_000 // FPS
            self.out.send(packet)
        self.out.end()
        self.container.close()
        return None


def test_capture_times_are_passed_on(ear: Ear, tmp_path: Path) -> None:
    made, clock = film(tmp_path, seconds=2), VirtualClock()
    run(Captured(made), f"rtp://127.0.0.1:{ear.port}", clock)
    assert clock.now() < 1  # a live source keeps to the clock by itself
    until(lambda: len(ear.reports) == 2)
    first, last = (field(each, 8) - NTP_S + field(each, 12) / (1 << 32) for each in ear.reports)
    assert first == pytest.approx(1_000_000_000.123457, abs=1e-5)
    assert last - first == pytest.approx(2 - 1 / FPS, abs=1e-5)


def test_parameter_sets_come_again_with_each_keyframe(ear: Ear, tmp_path: Path) -> None:
    """For who has an SDP of another hand, as scripts for other systems do."""
    made = film(tmp_path, seconds=2, ending="mp4")
    sink = run(made, f"rtp://127.0.0.1:{ear.port}", rt="off")
    until(lambda: len(ear.packets) == sink.sent - len(ear.reports))
    with_sets = [packet for packet in ear.packets if b"\x67\x42\xc0" in packet[12:40]]
    assert len(with_sets) == -(-2 * FPS // GOP)


def test_a_stream_that_begins_anew_goes_on_in_step() -> None:
    timeline = Timeline(100.0)
    video, audio = Lane(timeline, 90000), Lane(timeline, 48000)

    def send(lane: Lane, time_s: float, now_s: float) -> float:
        packet, scale = rw.Packet(b"", dts=round(time_s * 1000), cts=round(time_s * 1000)), 1000
        dts, pts = lane.place(packet, scale, now_s)
        lane.sent(packet, scale, dts, pts)
        assert lane.due_s(dts) >= now_s - 1
        return lane.due_s(pts)

    assert send(video, 50.0, 100.0) == pytest.approx(100)
    assert send(audio, 50.02, 100.01) == pytest.approx(100.02)
    assert send(video, 52.0, 102.0) == pytest.approx(102)
    assert send(audio, 52.0, 102.0) == pytest.approx(102)
    assert send(video, 3.0, 102.04) == pytest.approx(102.04)  # the source begins anew
    assert send(audio, 52.02, 102.04) == pytest.approx(102.02)  # and this one a moment later
    assert send(audio, 3.0, 102.05) == pytest.approx(102.04)
    assert send(video, 3.04, 102.08) == pytest.approx(102.08)
    video.jumped = audio.jumped = True  # sought
    assert send(audio, 30.0, 103.0) == pytest.approx(103)
    assert send(video, 30.0, 103.02) == pytest.approx(103)


def test_a_session_that_is_sought_goes_on(plain: Path, ear: Ear) -> None:
    with sending(plain, f"rtp://127.0.0.1:{ear.port}", audio="none") as sink:
        until(lambda: len(ear.packets) > 10)
        before = len(ear.packets)
        sink.send_event(rw.events.Seek(time_s=5.0))
        until(lambda: len(ear.packets) > before + 50)
    times = list(dict.fromkeys(field(packet, 4) for packet in ear.packets))
    # B-frames go back a little; nothing jumps
    assert max(abs((b - a + (1 << 31) & 0xFFFFFFFF) - (1 << 31)) for a, b in pairwise(times)) < 90000
    assert contiguous([field(packet, 2, 2) for packet in ear.packets])


def test_a_stream_that_changes_is_told_of_anew(tmp_path: Path, ear: Ear) -> None:
    sizes = ((320, 240), (160, 120))
    films = []
    for size in sizes:
        folder = tmp_path / str(size[0])
        folder.mkdir()
        films.append(film(folder, size=size, seconds=1))
    sdp = tmp_path / "out.sdp"
    texts: list[str] = []
    passed = itertools.count()

    def look(packet: rw.Packet) -> rw.Packet:
        if next(passed) == FPS // 2:  # the sink has had the one before the last
            texts.append(sink.sdp_text)
        return packet

    with rw.Session(limits=rw.Limits(packets=1)) as session:
        joined = session.load("concat")
        for each in films:
            session.load_src(str(each)) >> joined
        sink: Any = session.load_dst(f"rtp://127.0.0.1:{ear.port}", sdp=str(sdp), rt="off")
        session.chain(joined, session.load("call", function=look), sink)
        session.run()
    until(lambda: len(ear.packets) == sink.sent - len(ear.reports))
    sets = [text.partition("sprop-parameter-sets=")[2].partition("\r")[0] for text in (*texts, sink.sdp_text)]
    assert sets[0] != sets[1]
    assert sdp.read_bytes().decode() == sink.sdp_text
    versions = [int(text.split()[3]) for text in (*texts, sink.sdp_text)]
    assert versions[1] == versions[0] + 1
    # what goes out then holds the sets that are told
    second = base64.b64decode(sets[1].partition(",")[0])
    assert sum(second in packet for packet in ear.packets) == -(-FPS // GOP)
    assert contiguous([field(packet, 2, 2) for packet in ear.packets])


def test_another_codec_is_coded_to_the_one_that_was_told(tmp_path: Path, ear: Ear) -> None:
    films = [film(tmp_path, codec, seconds=1) for codec in ("libx264", "mpeg4")]
    with rw.Session() as session:
        joined = session.load("concat")
        for each in films:
            session.load_src(str(each)) >> joined
        sink: Any = session.load_dst(f"rtp://127.0.0.1:{ear.port}", rt="off")
        joined >> sink
        session.run()
    until(lambda: len(ear.packets) == sink.sent - len(ear.reports))
    assert len({field(packet, 4) for packet in ear.packets}) == 2 * FPS
    assert "H264/90000" in sink.sdp_text


# Errors


def words(call: Callable[[], Any], kind: type[Exception]) -> str:
    with pytest.raises(kind) as caught:
        call()
    error: Any = caught.value
    return f"{error} | {error.hint}"


@pytest.mark.parametrize(
    ("url", "told", "kind", "said"),
    [
        (
            "rtp://127.0.0.1",
            {},
            rw.OptionError,
            "is no address for RTP | rtp://239.1.2.3:5004: a host, and a",
        ),
        ("rtp://239.1.2.3:5004?ttl=999", {}, rw.OptionError, "ttl is from 0 to 255"),
        ("rtp://127.0.0.1:5004?pkt_size=0", {}, rw.OptionError, "pkt_size is from 256 to 65000"),
        ("rtp://127.0.0.1:9?fec=1", {}, rw.OptionError, "?fec=1 is not known | there are ttl, localaddr"),
        ("rtp://no.invalid:5004", {}, rw.OpenError, "no host has this name | check the name"),
        (
            "rtp://239.1.2.3:5004",
            {"localaddr": "192.0.2.77"},
            rw.OpenError,
            "no interface of this machine has the address 192.0.2.77 | localaddr= is the address of one",
        ),
        (
            "rtp://198.51.100.7:5004",
            {"localaddr": "127.0.0.1"},
            rw.OpenError,
            "no route leads to 198.51.100.7 from 127.0.0.1 | localaddr= names the interface",
        ),
        ("rtp://127.0.0.1:5004", {"sdp": "nowhere/x.sdp"}, rw.OpenError, "nowhere/x.sdp: No such file"),
        ("rtp://127.0.0.1:5004", {"ttl": 256}, rw.OptionError, "ttl"),
        ("rtp://127.0.0.1:65535", {}, rw.OptionError, "the ports behind 65535 are too few | each stream"),
    ],
)
def test_errors(url: str, told: dict[str, Any], kind: type[Exception], said: str, plain: Path) -> None:
    assert said in words(lambda: run(plain, url, **told), kind)


def test_the_sdp_takes_the_place_of_files_only(plain: Path, tmp_path: Path) -> None:
    """What a link leads to is written, the link stays; so does a pipe, and who reads it gets the text."""
    link, pipe = tmp_path / "link.sdp", tmp_path / "pipe.sdp"
    link.symlink_to(tmp_path / "real.sdp")
    os.mkfifo(pipe)
    assert "pipe.sdp" in words(lambda: run(plain, "rtp://127.0.0.1:5004", sdp=str(pipe)), rw.OpenError)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for path in (link, pipe):
        run(plain, f"rtp://127.0.0.1:{free_port()}", rt="off", sdp=str(path))
    assert link.is_symlink()
    assert link.read_text().startswith("v=0")
    assert pipe.is_fifo()
    assert os.read(reader, 4096).startswith(b"v=0")
    os.close(reader)


def test_no_route_at_all(plain: Path) -> None:
    """In a network of its own, that has no interface which is up."""
    code = f"import reelway as rw; rw.run({str(plain)!r}, 'rtp://239.1.2.3:5004')"
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], capture_output=True).returncode:
        pytest.skip("this system makes no network of its own for a test")
    done = subprocess.run([unshare, "-rn", sys.executable, "-c", code], capture_output=True, text=True)
    assert "OpenError: rtp://239.1.2.3:5004: no route leads to 239.1.2.3" in done.stderr


@pytest.mark.parametrize(
    ("video", "audio", "said"),
    [
        (None, "flac", "RTP has no form for flac (demux.audio1) | encode it: audio='opus'"),
        ("flv", None, "RTP has no form for flv1 (demux.video1) | encode it: video='h264'"),
        (None, "libopus", "RTP carries Opus of one or two channels, not 6 (demux.audio1) | encode it: aud"),
    ],
)
def test_codecs_without_a_form(video: str | None, audio: str | None, said: str, tmp_path: Path) -> None:
    told: dict[str, Any] = {"sound": {"channels": 6}} if audio == "libopus" else {}
    made = film(tmp_path, video, audio, ending="flv" if video else "mkv", seconds=1, **told)
    sdp = tmp_path / "x.sdp"
    assert said in words(lambda: run(made, "rtp://127.0.0.1:5004", sdp=str(sdp)), rw.LinkError)
    assert not sdp.exists()


def test_a_picture_that_rtp_cannot_carry(tmp_path: Path) -> None:
    made = film(tmp_path, "mjpeg", pixel_format="yuvj444p", seconds=1)
    said = words(lambda: run(made, "rtp://127.0.0.1:5004"), rw.FormatError)
    assert "RTP cannot carry this mjpeg" in said
