"""RTSP from GStreamer's server: over TCP and UDP, with and without a password, with sound."""

from __future__ import annotations

import logging
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.errors import OpenError, OptionError, UnsupportedError
from reelway.media.packet import Packet
from tests.live.conftest import MakeServer
from tests.live.serving import free_port
from tests.live.watching import Watch, WatchCoded, WatchSound, frames, rises, watched
from tests.secrets import PASSWORD, USER


@pytest.mark.parametrize("auth", ["", "basic", "digest"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_counters_in_order(rtsp_server: MakeServer, transport: str, auth: str) -> None:
    server = rtsp_server(auth=auth)
    watch = watched(server.url, 60, transport=transport)
    assert watch.counters[:60] == list(range(60))
    scale = watch.properties["Timescale"]
    assert [round(time * 25 / scale) for time in watch.times[:60]] == list(range(60))
    assert not any(watch.flags)
    assert not watch.gaps


def test_sound_beside_the_picture(rtsp_server: MakeServer) -> None:
    server = rtsp_server(sound="aac", auth="digest")
    with rw.Session() as session:
        source = session.load_src(server.url)
        pictures = session.add(Watch(lambda watch: len(watch.times) >= 50 and len(sound.times) > 80))
        sound = session.add(WatchSound(lambda _: False))
        source.video >> pictures
        source.audio >> sound
        session.run()
    assert isinstance(pictures, Watch)
    assert isinstance(sound, WatchSound)
    assert pictures.counters[:50] == list(range(50))
    assert pictures.times[0] == 0
    assert rises(sound.times)
    assert 0 <= sound.times[0] / sound.properties["Timescale"] < 0.3
    length_s = (sound.times[-1] - sound.times[0]) / sound.properties["Timescale"]
    assert length_s == pytest.approx((len(sound.times) - 1) * 1024 / 48000, abs=0.03)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("sound", "codec"), [("aac", "aac"), ("opus", "opus"), ("mulaw", "pcm_mulaw"), ("l16", "pcm_s16be")]
)
def test_sounds_follow_on_each_other(
    rtsp_server: MakeServer, sound: str, codec: str, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A tone of 400 Hz comes as one, without a hole, and beside its pictures."""
    caplog.set_level(logging.DEBUG, "reelway.engine.live")
    server = rtsp_server(sound=sound)
    heard: list[np.ndarray[Any, Any]] = []

    class Listen(WatchSound):
        def see(self, packet: Packet) -> None:
            heard.append(packet.planes()[0].reshape(-1).astype(float))
            self._keep(packet)

    with rw.Session() as session:
        source = session.load_src(server.url, transport=transport)
        tone = session.add(Listen(lambda watch: len(watch.times) > 60))
        pictures = session.add(Watch(lambda _: False))
        source.audio >> tone
        source.video >> pictures
        session.link()
        assert codec in [pid.properties["CodecID"] for pid in source.opids]
        session.run()
    assert isinstance(tone, Listen)
    assert isinstance(pictures, Watch)
    scale, rate = tone.properties["Timescale"], tone.properties["SampleRate"]
    samples = np.concatenate(heard[: len(tone.times)])
    begun, (_, *times), (_, *parts) = (
        0,
        tone.times,
        heard,
    )  # an encoder of Opus begins in the middle of a frame
    for at, part in zip(times, parts, strict=False):
        assert abs((at - times[0]) / scale - begun / rate) < 0.003
        begun += len(part)
    spectrum = np.abs(np.fft.rfft(samples[rate // 5 :] * np.hanning(len(samples) - rate // 5)))
    assert np.argmax(spectrum) * rate / (len(samples) - rate // 5) == pytest.approx(400, abs=5)
    assert pictures.counters == list(range(len(pictures.counters)))
    assert "is read by FFmpeg" not in caplog.text


def test_what_is_coded_is_sent_on_as_it_is(rtsp_server: MakeServer) -> None:
    server = rtsp_server(sound="alaw")
    with rw.Session() as session:
        source = session.load_src(server.url)
        pictures = session.add(WatchCoded(frames(30)))
        source.video >> pictures
        codecs: list[str] = []
        session.link()
        codecs = [pid.properties["CodecID"] for pid in source.opids]
        session.run()
    assert isinstance(pictures, WatchCoded)
    assert codecs == ["h264", "pcm_alaw"]
    assert [bool(sap) for sap in pictures.counters[:26]] == [True, *[False] * 24, True]


def test_a_server_that_refuses_tcp_is_asked_for_udp(rtsp_server: MakeServer) -> None:
    server = rtsp_server(transports=("udp",))
    with rw.Session() as session:
        source = session.load_src(server.url)
        watch = session.add(Watch(frames(10)))
        source >> watch
        session.link()
        assert source.statistics().status.endswith("over udp")
        session.run()
    assert isinstance(watch, Watch)
    assert watch.counters[:10] == list(range(10))


def test_a_server_that_refuses_udp_is_asked_for_tcp_where_that_is_allowed(rtsp_server: MakeServer) -> None:
    server = rtsp_server(transports=("tcp",))
    with pytest.raises(OpenError, match="does not offer this transport"):
        watched(server.url, 1, transport="udp")
    assert watched(server.url, 10, transport="udp+tcp").counters[:10] == list(range(10))


@pytest.mark.alone
def test_a_wrong_password_is_said_at_once_and_nothing_shows_it(
    rtsp_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = rtsp_server(auth="digest")
    wrong = f"rtsp://{USER}:wr0ngWord@127.0.0.1:{server.port}/cam"
    started = time.monotonic()
    with rw.Session() as session:
        source = session.load_src(wrong)
        session.add(Watch(frames(1)))
        with pytest.raises(OpenError, match="refuses the user name or the password") as caught:
            session.run()
        shown = [str(session.graph()), session.graph().to_json(), repr(session.statistics()), source.status]
    assert time.monotonic() - started < 3
    causes = [caught.value, caught.value.__cause__, caught.value.__context__]
    shown += [caplog.text, *(str(each) for each in causes), caught.value.hint or "", caught.value.url]
    assert not [text for text in shown if "wr0ngWord" in text]


def test_no_password_where_one_is_wanted(rtsp_server: MakeServer) -> None:
    server = rtsp_server(auth="basic")
    with pytest.raises(OpenError, match="wants a user name and a password") as caught:
        watched(f"rtsp://127.0.0.1:{server.port}/cam", 1)
    assert "user:password@host" in str(caught.value.hint)  # how to write one is no secret


def test_the_right_password_is_shown_nowhere(
    rtsp_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = rtsp_server(auth="digest")
    with rw.Session() as session:
        source = session.load_src(server.url)
        watch = session.add(Watch(frames(5)))
        source >> watch
        plan = session.explain()
        shown = [str(plan), str(session.graph()), session.graph().to_json(), session.graph().to_dot()]
        session.run()
        shown += [repr(session.statistics()), repr(source), source.status]
    assert isinstance(watch, Watch)
    shown += [caplog.text, repr(watch.properties)]
    escaped = server.url.partition(":")[2].partition("@")[0].rpartition(":")[2]
    assert not [text for text in shown if PASSWORD in text or escaped in text]


def test_what_is_not_there_is_said(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    for url, message in (
        (server.url.replace("/cam", "/other"), "no stream at this path"),
        (f"rtsp://127.0.0.1:{free_port()}/cam", "refused"),
        ("rtsp://no-such-host.invalid/cam", "no host has this name"),
    ):
        with pytest.raises(OpenError, match=message) as caught:
            watched(url, 1)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        ("rtsp://127.0.0.1:99999/cam", "the port in this address", "host:554"),
        ("rtsp://127.0.0.1:80a/cam", "the port in this address", "host:554"),
        ("udp://127.0.0.1:99999", "the port in this address", "host:554"),
        ("rtsp:///cam", "there is no host", "host:554"),
        ("rtsp://viewer:q7x#q7x@127.0.0.1:1/cam", "the port in this address", "%23"),
        ("rtsp://viewer.invalid/1@127.0.0.1/cam", "no host has this name", "%2F"),
    ],
)
def test_an_address_that_is_none(url: str, message: str, hint: str) -> None:
    with pytest.raises(OpenError, match=message) as caught:
        watched(url, 1, timeout_s=2)
    assert hint in str(caught.value.hint)
    assert "q7x" not in f"{caught.value} {caught.value.url}"


def test_the_frames_of_a_camera_have_no_numbers(rtsp_server: MakeServer) -> None:
    """A list of all of them is never complete."""
    frames = rw.frames(rtsp_server().url)
    with pytest.raises(UnsupportedError, match="does not end") as caught:
        frames[3]
    assert "loop" in str(caught.value.hint)
    assert 0.0 <= frames.at(0.2).time <= 0.2 + 1e-6  # what is late is left out


def test_a_transport_that_there_is_not() -> None:
    with rw.Session() as session, pytest.raises(OptionError, match="carrier"):
        session.load_src("rtsp://127.0.0.1/cam", transport="tcp+carrier")


def test_the_senders_clock_comes_with_its_reports(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    with rw.Session() as session:
        source = session.load_src(server.url)
        watch = session.add(WatchCoded(lambda watch: _steady(watch.wall_ns)))
        source >> watch
        before_ns = time.time_ns()
        session.run()
    assert isinstance(watch, WatchCoded)
    walls = [each for each in watch.wall_ns if each is not None]
    assert len(walls) == len(watch.times)
    assert all(before_ns - 2_000_000_000 < each < time.time_ns() + 100_000_000 for each in walls)
    assert _steady(watch.wall_ns)


def _steady(walls: list[int | None]) -> bool:
    """The last ten lie 40 ms apart to the microsecond, as no arrivals do."""
    last = [each for each in walls[-10:] if each is not None]
    steps = [b - a for a, b in pairwise(last)]
    return len(steps) == 9 and all(abs(step - 40_000_000) < 20_000 for step in steps)
