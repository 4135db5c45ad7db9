"""What has a recorder record: signals, motion, HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.media.frame import MemoryFrame
from reelway.record import Recorder, RecordingInfo
from reelway.record.remote import OnHttp
from reelway.record.triggers import OnMotion, OnSignal
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import Feed
from tests.media.probe import packets

TOKEN = "q7xsecret-token"


class Asked:
    """Stands for a recorder: keeps what it is asked for."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: SimpleQueue[Any] = SimpleQueue()
        self.after_s = 2.0
        self.busy = False
        self.state = SimpleNamespace(value="buffering")
        self.recordings: list[Any] = []
        self.error = error

    def record(self, metadata: Any = None, **options: Any) -> Any:
        self.calls.put(metadata)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(path="clip.mp4")


# signals


def test_a_signal_has_all_record_and_then_is_what_it_was() -> None:
    before = signal.getsignal(signal.SIGUSR2)
    bad, good = Asked(rw.StateError("it is over")), Asked()
    with closing(OnSignal([bad, good], "SIGUSR2")):  # type: ignore[list-item]
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGUSR2)
            assert good.calls.get(timeout=20) == {"signal": "USR2"}
    assert bad.calls.qsize() == 2
    assert signal.getsignal(signal.SIGUSR2) is before


@pytest.mark.parametrize("name", ["TERM", "KILL", "what", ""])
def test_signals_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(rw.OptionError, match=f"the signal '{name}' cannot"):
        OnSignal([], name)


def test_signals_are_heard_in_the_main_thread_only() -> None:
    found: list[Exception] = []

    def elsewhere() -> None:
        try:
            OnSignal([], "USR1")
        except rw.StateError as error:
            found.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert str(found[0]) == "only the main thread hears signals"


# motion


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s at 25 fps, a keyframe each second; a box goes through it from 8 to 11 s."""
    path = tmp_path_factory.mktemp("street") / "street.mp4"
    still = np.random.default_rng(1).integers(60, 180, (9, 16), np.uint8).repeat(20, 0).repeat(20, 1)
    pictures = []
    for number in range(500):
        frame = MemoryFrame.picture("yuv420p", 320, 180)
        luma, *chroma = frame.planes(writable=True)
        luma[:] = still
        for plane in chroma:
            plane[:] = 128
        if 200 <= number < 275:
            luma[60:100, 4 * (number - 200) :][:, :30] = 250
        pictures.append(rw.Packet(frame, number, number, 1, 1, frame.size))
    properties = {
        "StreamType": "Visual",
        "CodecID": "raw",
        "PixelFormat": "yuv420p",
        "Width": 320,
        "Height": 180,
        "Timescale": 25,
        "FPS": Fraction(25),
    }
    with rw.Session() as session:
        sink = session.load_dst(str(path), video="libx264:preset=veryfast:g=25:bf=2:sc_threshold=0")
        session.add(Feed(pictures, properties=properties)) >> sink
        session.run()
    return path


def recorded(
    source: Path, folder: Path, motion: str = "motion", every_picture: bool = False
) -> tuple[list[RecordingInfo], rw.Session]:
    infos: list[RecordingInfo] = []
    done = threading.Event()

    def finished(_path: str, info: RecordingInfo) -> None:
        infos.append(info)
        done.set()

    with rw.Session(clock=VirtualClock()) as session:
        loaded = session.load_src(str(source))
        session.chain(loaded, paced := session.load("reframer:rt=sync"))
        name = str(folder / "{number}.mp4")
        recorder = Recorder(session, paced, name, before_s=2, after_s=1, on_finished=finished)
        OnMotion(session, paced, recorder, session.load(motion), every_picture=every_picture)
        session.run()
        recordings = recorder.recordings
    for recording in recordings:
        recording.wait(20)
        done.wait(20)
    return infos, session


def lasts(info: RecordingInfo) -> tuple[float, float]:
    """Of the film: where the clip begins and ends [s]; pictures are as they were coded."""
    (clip,) = packets(info.path)
    return round(info.duration_s, 1), len(clip.packets) / 25


def digests(path: str | Path) -> list[str]:
    return [packet.digest for packet in packets(path)[0].packets]


def test_motion_at_keyframes_has_what_is_coded_recorded_as_it_is(street: Path, tmp_path: Path) -> None:
    (info,), session = recorded(street, tmp_path)
    whole, clip = digests(street), digests(info.path)
    first = whole.index(clip[0])
    assert clip == whole[first : first + len(clip)]
    assert first == 150  # it is seen at the keyframe at 8 s
    assert 15.0 > (first + len(clip)) / 25 >= 12.0  # it is over at 11 s
    assert info.triggers[0].metadata["zone"] == 1
    assert 0.01 < info.triggers[0].metadata["motion"] < 0.1
    assert len(info.triggers) == 3
    decoded = next(each for each in session.statistics().filters if each.name == "decode")
    assert decoded.packets_out == 20


def test_motion_in_every_picture_is_seen_at_once(street: Path, tmp_path: Path) -> None:
    (info,), session = recorded(street, tmp_path, every_picture=True)
    whole, clip = digests(street), digests(info.path)
    assert clip == whole[150 : 150 + len(clip)]
    assert 14.5 > 6 + len(clip) / 25 >= 12.0
    decoded = next(each for each in session.statistics().filters if each.name == "decode")
    assert decoded.packets_out == 500


def test_nothing_moves_in_the_zone(street: Path, tmp_path: Path) -> None:
    assert recorded(street, tmp_path, "motion:zones=1x0.2+0+0")[0] == []
    assert recorded(street, tmp_path, "motion:masks=0/0.3-1/0.3-1/0.6-0/0.6", every_picture=True)[0] == []


def test_only_motion_looks_for_motion() -> None:
    with rw.Session() as session:
        source = session.load("testvideo:frames=1")
        recorder = Recorder(session, source, "never.mp4")
        with pytest.raises(rw.OptionError, match="null does not look for motion"):
            OnMotion(session, source, recorder, session.load("null"))


# HTTP


@pytest.fixture
def doors() -> dict[str, Asked]:
    return {"cam1": Asked(), "cam2": Asked()}


def open_door(recorders: Any, **options: Any) -> OnHttp:
    return OnHttp(recorders, token=TOKEN, **options)


def ask(
    door: OnHttp, method: str, path: str, body: Any = None, token: str = TOKEN, **headers: str
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=20)
    with closing(connection):
        connection.request(method, path, body, {"Authorization": f"Bearer {token}", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def talk(door: OnHttp, data: bytes) -> bytes:
    """What comes back, up to the end."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=20) as connection:
        connection.sendall(data)
        found = b""
        try:
            while part := connection.recv(65536):
                found += part
        except ConnectionResetError:
            pass
        return found


def test_a_request_has_them_record(doors: dict[str, Asked]) -> None:
    with closing(open_door(doors)) as door:
        code, said = ask(door, "POST", "/record", json.dumps({"who": "me"}))
        assert (code, [each["source"] for each in said["recordings"]]) == (202, ["cam1", "cam2"])
        assert [doors[name].calls.get_nowait() for name in doors] == [{"http": {"who": "me"}}] * 2
        code, said = ask(door, "POST", "/record?source=cam2")
        assert (code, said) == (202, {"recordings": [{"source": "cam2", "path": "clip.mp4"}]})
        assert (doors["cam1"].calls.qsize(), doors["cam2"].calls.get_nowait()) == (0, {"http": None})
        code, said = ask(door, "GET", "/status")
        assert code == 200
        assert said["sources"][0] == {"name": "cam1", "state": "buffering", "busy": False, "recordings": []}
        assert TOKEN not in json.dumps(said)
    with pytest.raises(ConnectionRefusedError):
        ask(door, "GET", "/status")


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/record?source=cam3", None, 404),
        ("POST", "/what", None, 404),
        ("GET", "/record", None, 405),
        ("POST", "/status", None, 405),
        ("POST", "/record", "no JSON", 400),
        ("POST", "/record", b"\xff", 400),
        ("POST", "/record", "[" * 60000, 400),
        ("POST", "/record", "1" * 65537, 413),
        ("POST", "//[", None, 400),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    method: str, path: str, body: Any, code: int, doors: dict[str, Asked]
) -> None:
    with closing(open_door(doors)) as door:
        assert ask(door, method, path, body)[0] == code
        assert ask(door, "GET", "/status")[0] == 200
    assert doors["cam1"].calls.empty()


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "\xe4" * 15])
def test_who_does_not_know_the_token_learns_nothing(token: str, doors: dict[str, Asked]) -> None:
    with closing(open_door(doors)) as door:
        for method, path in (("POST", "/record"), ("GET", "/status"), ("GET", "/what")):
            code, said = ask(door, method, path, token=token)
            assert code == 403
            assert TOKEN not in json.dumps(said)
            assert "cam1" not in json.dumps(said)
    assert doors["cam1"].calls.empty()


AUTHORIZED = f"POST /record HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n".encode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"what\r\n\r\n", 400),
        (b"GET / SIP/2.0\r\n\r\n", 400),
        (b"GET /status HTTP/1.1\r\nbroken\r\n\r\n", 400),
        (AUTHORIZED + b"Authorization: Bearer other\r\n\r\n", 400),
        (AUTHORIZED + b"Content-Length: -1\r\n\r\n", 400),
        (AUTHORIZED + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n", 400),
        (AUTHORIZED + b"Content-Length: 99999999999999999999999\r\n\r\n", 413),
        (AUTHORIZED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 3000, 431),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, code: int, doors: dict[str, Asked]) -> None:
    with closing(open_door(doors)) as door:
        assert talk(door, data).startswith(f"HTTP/1.1 {code} ".encode())
    assert doors["cam1"].calls.empty()


def test_who_waits_for_leave_to_send_gets_it(doors: dict[str, Asked]) -> None:
    with closing(open_door(doors)) as door:
        said = talk(door, AUTHORIZED + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\nnull")
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n")


def test_who_is_too_slow_and_who_is_too_many(doors: dict[str, Asked]) -> None:
    with closing(open_door(doors, most_connections=2, deadline_s=0.5)) as door:
        assert talk(door, AUTHORIZED).startswith(b"HTTP/1.1 408 ")
        assert talk(door, AUTHORIZED + b"Content-Length: 4\r\n\r\n12").startswith(b"HTTP/1.1 408 ")
    with closing(open_door(doors, most_connections=2, deadline_s=60)) as door:
        address = "127.0.0.1", door.port
        with socket.create_connection(address) as first, socket.create_connection(address) as second:
            for held in (first, second):  # that they are served is seen by what they get
                held.sendall(AUTHORIZED + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
                assert held.recv(100).startswith(b"HTTP/1.1 100 ")
            assert talk(door, b"").startswith(b"HTTP/1.1 503 ")
            first.sendall(b"null")
            assert first.recv(100).startswith(b"HTTP/1.1 202 ")
        # closed in the middle of the second one's request


def test_what_recorders_refuse_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    over, full = Asked(rw.StateError("it is over")), Asked(rw.OpenError("the disk is full"))
    broken = Asked(ZeroDivisionError("division by zero"))
    with closing(open_door({"over": over, "full": full, "broken": broken})) as door:
        assert ask(door, "POST", "/record?source=over") == (503, {"error": "nothing comes any more"})
        assert ask(door, "POST", "/record?source=full") == (503, {"error": "the disk is full"})
        assert ask(door, "POST", "/record?source=broken") == (500, {"error": "it failed; the log says why"})
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" not in caplog.text


def test_tokens_and_ports() -> None:
    for token in ("short", "with a space in it", "ümlaut-token"):
        with pytest.raises(rw.OptionError) as wrong:
            OnHttp({}, token=token)
        assert token not in str(wrong.value)
    with closing(OnHttp({})) as one, closing(OnHttp({})) as other:
        assert len(one.token) >= 32
        assert one.token != other.token
        assert one.url == f"http://127.0.0.1:{one.port}"
        with pytest.raises(rw.OpenError, match=f"port {one.port} of 127.0.0.1 cannot be had"):
            OnHttp({}, one.port)
    with pytest.raises(rw.OptionError, match="there is no port 70000"):
        OnHttp({}, 70000)


def test_only_this_machine_gets_in(doors: dict[str, Asked]) -> None:
    with closing(open_door(doors)) as door, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", door.port), timeout=20)
