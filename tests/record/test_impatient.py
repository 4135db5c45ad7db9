"""Recorders in the hands of who says odd things, closes at odd moments, and does not wait."""

from __future__ import annotations

import gc
import json
import math
import socket
import struct
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.record import Recorder, RecorderState, Recording, tape
from reelway.record.media import container_of, goes_on
from reelway.record.plain import plain
from reelway.record.remote import OnHttp
from reelway.testing.clock import VirtualClock
from tests.media.make import film
from tests.media.probe import counters
from tests.record.test_clips import counters_of

SOURCE = "testvideo:fps=25:frames=75:size=320x240"


def recorded(name: Any, **said: Any) -> Recording:
    """What `record()` at 1 s gives."""
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(session, session.load(SOURCE), name, before_s=0.4, after_s=0.4)
        session.post(lambda: made.append(recorder.record(**said)), 1.0)
        session.run()
    made[0].finished(20.0)
    return made[0]


class Mute:
    def __str__(self) -> str:
        raise ValueError("no words")


def deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(3000):
        found = [found]
    return found


def round_about() -> list[Any]:
    found: list[Any] = [1]
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ((1, 2), [1, 2]),
        ({(1, 2): {3: None}}, {"(1, 2)": {"3": None}}),
        (round_about(), [1, "..."]),
        (math.nan, "nan"),
        (Mute(), "<Mute>"),
        ({"at": Path("a")}, {"at": "a"}),
        ({7}, [7]),
    ],
)
def test_whatever_is_said_of_an_event_it_is_recorded(metadata: Any, said: Any, tmp_path: Path) -> None:
    info = recorded(tmp_path / "clip.mp4", metadata=metadata).wait()
    assert counters_of(info.path) == list(range(15, 35))
    assert json.loads(Path(f"{info.path}.json").read_text())["triggers"][0]["metadata"] == said
    assert info.triggers[0].metadata is metadata


def test_what_is_too_deep_for_json_is_cut() -> None:
    assert json.dumps(plain(deep()), indent=1).count("[") == 64
    assert json.loads(json.dumps(plain(10**5000))).startswith("0x")


def test_a_recording_without_an_end_goes_on_until_stop(tmp_path: Path) -> None:
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(session, session.load(SOURCE), str(tmp_path / "clip.mp4"), before_s=0.4)
        session.post(lambda: made.append(recorder.record(after_s=math.inf)), 1.0)
        session.post(recorder.stop, 2.0)
        session.run()
    assert counters_of(made[0].wait(20.0).path) == list(range(15, 50))


@pytest.mark.parametrize("said", [{"after_s": -1}, {"after_s": math.nan}, {"before_s": math.nan}])
def test_times_that_are_none_are_refused(said: dict[str, Any], tmp_path: Path) -> None:
    with rw.Session(clock=VirtualClock()) as session:
        source = session.load(SOURCE)
        recorder = Recorder(session, source, str(tmp_path / "clip.mp4"))
        with pytest.raises(rw.OptionError, match="neither may be below 0|before_s is"):
            recorder.record(**said)
        with pytest.raises(rw.OptionError, match="before_s is"):
            Recorder(session, source, str(tmp_path / "clip.mp4"), **said)


@pytest.mark.parametrize(
    "name", ["{nope}.mp4", "{.mp4", "{number:%H}.mp4", "{time.nope}.mp4", "a\0b.mp4", "{0}.mp4"]
)
def test_a_template_that_cannot_be_filled_is_named_at_once(name: str) -> None:
    with rw.Session() as session:
        source = session.load(SOURCE)
        for options in ({"filename": name}, {"filename": "a.mp4", "segments": name}):
            with pytest.raises(rw.OptionError, match=r"cannot be filled|is no file name"):
                Recorder(session, source, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [None, 7, b"a.mp4"])
def test_a_file_name_that_is_none_is_named_at_once(name: Any) -> None:
    with rw.Session() as session, pytest.raises(rw.OptionError, match="names no files"):
        Recorder(session, session.load(SOURCE), name)


def wrong() -> str:
    raise ZeroDivisionError("no name")


@pytest.mark.parametrize("names", [wrong, lambda: None, lambda: b"a.mp4"])
def test_who_makes_names_does_not_end_the_stream(names: Callable[[], Any]) -> None:
    failed: list[Exception] = []
    with rw.Session(clock=VirtualClock()) as session:
        Recorder(
            session,
            session.load(SOURCE),
            names,
            trigger=lambda packet, pid: packet.cts == 0,
            on_failed=lambda path, error: failed.append(error),
        )
        session.run()
        assert session.completed
    assert len(failed) == 1


def test_what_is_not_live_waits_for_its_disk_with_nothing_else_to_do(tmp_path: Path) -> None:
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(session, session.load(SOURCE), str(tmp_path / "clip.mp4"), queue_bytes=0)
        session.post(lambda: made.append(recorder.record()), 0.5)
        session.run()
        assert session.completed
    assert counters_of(made[0].wait(20.0).path) == list(range(63))


def test_a_recorder_is_closed_before_its_session_runs(tmp_path: Path) -> None:
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(session, session.load(SOURCE), str(tmp_path / "clip.mp4"))
        recording = recorder.record()
        recorder.close()
        recorder.close()
        assert recorder.state is RecorderState.DETACHED
        with pytest.raises(rw.FormatError, match="nothing came that could be recorded"):
            recording.wait(0.0)
        with pytest.raises(rw.StateError, match="attached to nothing"):
            recorder.record()


def test_close_does_not_hold_up_the_session_that_it_is_called_in(tmp_path: Path) -> None:
    made: list[Recording] = []
    done: list[bool] = []
    with rw.Session(clock=VirtualClock()) as session:
        source = session.load("testvideo:fps=25:frames=75:size=320x240:live=on")
        source >> session.load("null")
        recorder = Recorder(session, source, str(tmp_path / "clip.mp4"), before_s=0.4, after_s=9.0)

        def close() -> None:
            recorder.close(None)
            done.append(made[0].done)
            recorder.close(None)

        session.post(lambda: made.append(recorder.record()), 1.0)
        session.post(close, 2.0)
        session.run()
    assert done == [False]
    assert len(counters_of(made[0].wait(20.0).path)) in (35, 36)


def test_a_recorder_that_is_closed_is_forgotten_by_its_session(tmp_path: Path) -> None:
    never = threading.Event()
    with rw.Session() as session:
        source = session.load("testvideo:fps=25:size=320x240:live=on")
        source >> session.load("null")
        recorder = Recorder(session, source, str(tmp_path / "clip.mp4"), before_s=0.2, after_s=0.5)
        last = weakref.ref(recorder)
        thread = threading.Thread(target=session.run)
        thread.start()
        try:
            recorder.record().wait(20.0)
            recorder.close()
            del recorder
            for _ in range(200):  # its end is told in the thread of the file
                gc.collect()
                if last() is None:
                    break
                never.wait(0.02)
            assert last() is None
        finally:
            session.stop()
            thread.join()


def test_a_name_that_another_process_takes_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    """Until the first picture comes there is no file."""
    path = tmp_path / "clip.mp4"
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(session, session.load(SOURCE), path, after_s=1.0)
        first = recorder.record()
        Path(f"{path}.part").write_text("theirs")
        Path(f"{path}.json.part").write_text("theirs too")
        second = recorder.record(extend=False)
        path.write_text("theirs as well")
        session.run()
    infos = [first.wait(20.0), second.wait(20.0)]
    assert sorted(info.path for info in infos) == [str(tmp_path / f"clip-{n}.mp4") for n in (2, 3)]
    for info in infos:
        assert counters_of(info.path) == list(range(25))
    assert path.read_text() == "theirs as well"
    assert Path(f"{path}.part").read_text() == "theirs"
    assert Path(f"{path}.json.part").read_text() == "theirs too"


def test_of_two_recordings_the_newer_ends_first_unseen(tmp_path: Path) -> None:
    """The older one tells of itself just before the newer one tells of its end."""
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(session, session.load(SOURCE), str(tmp_path / "{number}.mp4"))
        older, newer = recorder.record(), recorder.record(extend=False)
        older._begun.set()
        newer._done.set()
        newer.error = rw.FormatError("it failed")
        recorder._changed(older)
        assert recorder.state is RecorderState.RECORDING
        recorder._changed(newer)
        assert recorder.state is RecorderState.RECORDING
        assert recorder.recordings == [older]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("to_s", [1.0, 12.0])
def test_a_seek_while_it_is_recorded_goes_on_in_another_file(
    to_s: float, ending: str, tmp_path: Path
) -> None:
    """What had been read ahead belongs to the first one; both are as long as what they hold."""
    source = film(tmp_path / "film.mp4", seconds=15, gop=25, bframes=2)
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(
            session, session.load_src(str(source)), tmp_path / f"clip.{ending}", before_s=0.5, after_s=2.0
        )
        session.post(lambda: made.append(recorder.record()), 5.0)
        session.post(lambda: session.play(start_s=to_s), 5.5)
        session.run()
    first = made[0].wait(20.0)
    assert made[0].next is not None
    second = made[0].next.wait(20.0)
    before, after = counters(first.path), counters(second.path)
    assert before == list(range(100, 100 + len(before)))
    assert after == list(range(round(to_s * 25), round(to_s * 25) + len(after)))
    assert len(before) + len(after) == pytest.approx(75, abs=2)  # from the keyframe at 4 s to 7 s
    for info, shown in ((first, before), (second, after)):
        assert info.duration_s == pytest.approx(len(shown) / 25, abs=0.05)


@pytest.mark.parametrize(("first", "second"), [("coded", "raw"), ("raw", "coded")])
def test_a_stream_that_is_coded_no_longer_needs_another_file(first: str, second: str) -> None:
    kinds = {"coded": {"CodecID": "avc"}, "raw": {"CodecID": "raw"}}
    assert not goes_on(container_of("a.mp4"), kinds[first], kinds[second])
    assert goes_on(container_of("a.mp4"), kinds["raw"], dict(kinds["raw"]))


def test_who_hangs_up_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    door = OnHttp({}, most_connections=1)
    try:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", door.port)) as caller:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with socket.create_connection(("127.0.0.1", door.port)) as caller:
            caller.sendall(b"\r\n\r\n")
            assert caller.recv(100).startswith(b"HTTP/1.1 ")
    finally:
        door.close()
    assert [each.message for each in caplog.records if each.name == "asyncio"] == []


class Never(rw.Filter):
    """A camera that is not there yet."""

    outputs = (rw.Caps(),)
    waits_outside = True

    def process(self) -> float | None:
        return None


def test_who_records_a_camera_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape, "GRACE_S", 0.1)
    with rw.Session() as session:
        recorder = Recorder(session, session.add(Never()), tmp_path / "clip.mp4", after_s=0.1)
        thread = threading.Thread(target=session.run)
        thread.start()
        try:
            with pytest.raises(rw.FormatError, match="nothing came that could be recorded"):
                recorder.record().wait(20.0)
            assert not recorder.busy
        finally:
            session.stop()
            thread.join()
    assert list(tmp_path.iterdir()) == []
