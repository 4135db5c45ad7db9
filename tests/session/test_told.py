"""What was lost, or waited for, without a word: now the log or an error says so."""

from __future__ import annotations

import logging
import os

import pytest

import reelway as rw
from reelway.runtime import silence
from reelway.runtime.trace import Trace
from reelway.testing.parts import Collect, Feed, numbered


class Mute(rw.Filter):
    """Has a PID, sends nothing, asks for nothing."""

    outputs = (rw.Caps(),)

    def open(self) -> None:
        self.new_pid("mute", StreamType="Metadata", CodecID="test", Timescale=1)

    def process(self) -> None:
        pass


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


def test_a_source_that_keeps_the_session_waiting_is_named_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(silence, "SILENT_S", 0.05)
    session = rw.Session(threads=0)
    session.add(Mute(name="quiet")) >> session.add(Collect())
    session.add(Feed(numbered(3))) >> session.add(Collect())
    looks = 0

    def look() -> float | None:
        nonlocal looks
        looks += 1
        if looks < 3:
            return 0.1
        session.stop()
        return None

    session.watch(look, 0.2)
    session.run()
    (warning,) = warnings(caplog)
    assert warning.startswith("quiet has neither sent nor ended for 0.05 s")


def test_a_source_that_waits_for_hands_is_not_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(silence, "SILENT_S", 0.02)
    session = rw.Session(threads=0)
    quiet = Mute(name="quiet")
    quiet.waits_outside = True
    session.add(quiet) >> session.add(Collect())
    session.watch(session.stop, 0.1)
    session.run()
    assert warnings(caplog) == []


def test_a_seek_behind_the_end_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reelway.runtime")
    session = rw.Session(threads=0)
    source, sink = session.add(Feed(numbered(3))), Collect()
    source >> session.add(sink)

    def seek() -> float | None:
        if not sink.seen or not sink.only.ended:
            return 0.0
        sink.ipids[0].send_event(rw.events.Seek(time_s=0.0))
        return None

    session.post(seek)
    session.run()
    assert "Feed has ended: a Seek event for it is lost" in [each.getMessage() for each in caplog.records]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk here")
def test_a_trace_that_ends_early_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    trace = Trace("/dev/full")
    for _ in range(5000):
        trace.add("turn", "process", 0.0, 1.0)
    trace.close()
    (warning,) = warnings(caplog)
    assert warning == "the trace /dev/full ends early: No space left on device"


@pytest.mark.parametrize("at_end", [False, True])
def test_what_on_progress_raises_is_a_filter_error(at_end: bool) -> None:
    def fail(_: rw.Progress) -> None:
        if session.finished or not at_end:
            raise ZeroDivisionError("mine")

    session = rw.Session(on_progress=fail)
    told: list[int] = []
    session.watch(lambda: None, at_end=lambda: told.append(1))
    session.add(Feed(numbered(3))) >> session.add(Collect())
    if not at_end:
        session.post(lambda: None, 0.4)  # it lasts until progress is told
    with pytest.raises(rw.FilterError, match=r"on_progress\(\) failed: ZeroDivisionError: mine") as caught:
        session.run()
    assert isinstance(caught.value.cause, ZeroDivisionError)
    assert told == [1]
    session.close()


def test_an_empty_text_sets_no_log() -> None:
    before = logging.getLogger("reelway").level
    rw.set_logs("")
    assert logging.getLogger("reelway").level == before
