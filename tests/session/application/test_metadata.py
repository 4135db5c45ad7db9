"""What code at a pad finds out, and who gets it in the background: counted, and never in the way."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reelway as rw
from reelway.session.application.metadata import MAX_WAITING, Extraction, extraction_of, load_code

MANY = "videotestsrc num-buffers={n} ! video/x-raw,width=160,height=120 ! fakesink name=out"
LIVE = "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=30/1 ! fakesink name=out"


@pytest.fixture
def launched() -> Iterator[Callable[..., rw.Application]]:
    """An application that is not started, and is stopped at the end."""
    made: list[rw.Application] = []

    def launch(text: str, **values: object) -> rw.Application:
        made.append(rw.launch(text, start=False, **values))  # type: ignore[arg-type]
        return made[-1]

    yield launch
    for application in made:
        application.stop()


def finish(app: rw.Application) -> None:
    app.play()
    assert app.wait(30)


def balance(extraction: Extraction, waiting: int = 0) -> None:
    """Nothing is lost uncounted."""
    assert extraction.extracted == extraction.consumed + extraction.dropped + waiting


def test_each_packet_is_seen_on_the_media_path_and_each_result_in_the_background(
    launched: Callable[..., rw.Application],
) -> None:
    app, threads, got = launched(MANY, n=20), set(), []
    pad = app["out"].pad("sink")

    def produce(at: object, packet: rw.Packet) -> int:
        assert at is pad
        threads.add(threading.current_thread().name)
        return packet.cts or 0

    def consume(value: int) -> None:
        threads.add(threading.current_thread().name)
        got.append(value)

    extraction = Extraction(pad, produce, consume)
    finish(app)
    extraction.close()
    assert got == sorted(got)
    assert (extraction.extracted, extraction.consumed, extraction.dropped, len(got)) == (20, 20, 0, 20)
    assert threads == {"reelway-application", "reelway-metadata"}
    assert not [each for each in threading.enumerate() if each.name == "reelway-metadata"]


def test_a_consumer_that_does_not_come_back_loses_the_oldest_counted(
    launched: Callable[..., rw.Application],
) -> None:
    app, go_on, got = launched(MANY, n=200), threading.Event(), []

    def consume(value: int) -> None:
        assert go_on.wait(30)
        got.append(value)

    numbers = iter(range(1000))
    extraction = Extraction(app["out"].pad("sink"), lambda _pad, _packet: next(numbers), consume)
    finish(app)
    in_hand = 200 - extraction.dropped - MAX_WAITING  # one, or none where its thread never got a turn
    assert in_hand in (0, 1)
    assert extraction.consumed == 0
    go_on.set()
    extraction.close()
    balance(extraction)
    assert got[-MAX_WAITING:] == list(range(200 - MAX_WAITING, 200))
    assert len(got) == MAX_WAITING + in_hand


def test_a_consumer_that_hangs_holds_up_no_end(
    launched: Callable[..., rw.Application], caplog: pytest.LogCaptureFixture
) -> None:
    app, never = launched(MANY, n=10), threading.Event()
    begun = threading.Event()

    def consume(_value: int) -> None:
        begun.set()
        never.wait(30)

    extraction = Extraction(app["out"].pad("sink"), lambda _pad, _packet: 1, consume)
    finish(app)
    assert begun.wait(30)
    asked = time.monotonic()
    extraction.close()
    assert time.monotonic() - asked < 5
    assert extraction.dropped == 9
    assert "9 results are lost" in caplog.text
    never.set()


def test_a_consumer_that_sleeps_a_second_a_call_does_not_slow_a_live_pipeline(
    launched: Callable[..., rw.Application],
) -> None:
    def frames_in_three_seconds(*, slow: bool) -> int:
        app, seen = launched(LIVE), [0]
        pad = app["out"].pad("sink")

        def count(_pad: object, _packet: rw.Packet) -> None:
            seen[0] += 1

        pad.add_probe("packet", count)
        extraction = None
        if slow:
            extraction = Extraction(
                pad, lambda _pad, _packet: bytearray(1000), lambda _value: time.sleep(1), max_waiting=4
            )
        app.play()
        assert not app.wait(3.0)
        frames = seen[0]
        app.stop()
        if extraction is not None:
            extraction.close()
            assert 1 <= extraction.consumed <= 6
            assert extraction.dropped > 60
            in_hand = extraction.extracted - extraction.consumed - extraction.dropped
            assert in_hand in (0, 1), "what is in the consumer's hands when its time is up"
            assert extraction.extracted >= frames
        return frames

    without, with_it = frames_in_three_seconds(slow=False), frames_in_three_seconds(slow=True)
    assert 80 <= with_it <= 95
    assert abs(with_it - without) <= 3


@pytest.mark.parametrize("who", ["producer", "consumer"])
def test_code_that_raises_is_logged_once_and_counted_and_the_media_go_on(
    who: str, launched: Callable[..., rw.Application], caplog: pytest.LogCaptureFixture
) -> None:
    app = launched(MANY, n=15)

    def fail(*_: object) -> None:
        raise RuntimeError("no such face")

    good = (lambda _pad, _packet: 1) if who == "consumer" else fail
    extraction = Extraction(app["out"].pad("sink"), good, fail)
    finish(app)
    assert app["out"].filter is None or app["out"].filter.ipids[0].packets_out == 15
    extraction.close()
    assert extraction.failures == 15
    assert extraction.consumed == 0
    assert extraction.extracted == (15 if who == "consumer" else 0)
    said = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert [each.getMessage() for each in said] == [
        f"the {who} of metadata failed: further failures are only counted"
    ]
    assert "no such face" in caplog.text


def test_none_is_no_result(launched: Callable[..., rw.Application]) -> None:
    app, got, count = launched(MANY, n=10), [], [0]

    def every_other(_pad: object, _packet: object) -> int | None:
        count[0] += 1
        return count[0] if count[0] % 2 else None

    extraction = Extraction(app["out"].pad("sink"), every_other, got.append)
    finish(app)
    extraction.close()
    assert got == [1, 3, 5, 7, 9]
    assert (extraction.extracted, extraction.consumed) == (5, 5)


def test_a_producer_changes_no_packet_and_needs_no_consumer(launched: Callable[..., rw.Application]) -> None:
    app = launched(MANY, n=10)
    extraction = Extraction(app["out"].pad("sink"), lambda _pad, _packet: False)  # no probe's answer
    finish(app)
    assert app["out"].filter is None or app["out"].filter.ipids[0].packets_out == 10
    extraction.close()
    assert (extraction.extracted, extraction.consumed, extraction.dropped) == (10, 0, 0)


def test_after_the_close_nobody_is_called(launched: Callable[..., rw.Application]) -> None:
    app, calls, enough = launched(LIVE), [0], threading.Event()

    def produce(_pad: object, _packet: object) -> None:
        calls[0] += 1
        if calls[0] == 3:
            enough.set()

    extraction = Extraction(app["out"].pad("sink"), produce)
    app.play()
    assert enough.wait(20)
    extraction.close()
    app.session._scheduler.ask(lambda: None)  # type: ignore[union-attr]  # behind the removal
    before, more = calls[0], threading.Event()
    app["out"].pad("sink").add_probe("packet", lambda _pad, _packet: more.set())
    assert more.wait(20)
    assert calls[0] == before


# Code by name

CODE = """
got = []
class Producer:
    def extract_metadata(self, pad, packet):
        return pad.name
class Consumer:
    def incoming(self, value):
        got.append(value)
def produce(pad, packet):
    return pad.element.name
def consume(value):
    got.append(value)
producer = Producer()
number = 3
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"code_of_{tmp_path.name}".replace("-", "_")
    Path(f"{name}.py").write_text(CODE)
    return name


@pytest.mark.parametrize("ending", ["", ".py"])
@pytest.mark.parametrize(
    ("producer", "consumer", "result"),
    [("Producer", "Consumer", "src"), ("produce", "consume", "source"), ("producer", "Consumer", "src")],
)
def test_classes_functions_and_objects_of_modules_and_files(
    ending: str, producer: str, consumer: str, result: str, code: str, launched: Callable[..., rw.Application]
) -> None:
    app = launched("videotestsrc num-buffers=5 name=source ! fakesink")
    where = code + ending
    extraction = extraction_of(app, "source", f"{where}:{producer}", f"{where}:{consumer}")
    finish(app)
    extraction.close()
    assert (extraction.extracted, extraction.consumed, extraction.failures) == (5, 5, 0)
    got = load_code(f"{where}:got")
    assert got[-5:] == [result] * 5


def test_at_a_sink_it_is_the_input(code: str, launched: Callable[..., rw.Application]) -> None:
    app = launched("videotestsrc num-buffers=5 ! fakesink name=out")
    extraction = extraction_of(app, "out", f"{code}:Producer", f"{code}:Consumer")
    finish(app)
    extraction.close()
    assert load_code(f"{code}:got")[-5:] == ["sink"] * 5


def test_names_that_nobody_has(code: str, launched: Callable[..., rw.Application]) -> None:
    app = launched("videotestsrc num-buffers=1 name=source ! fakesink")
    with pytest.raises(rw.UnknownNameError) as unknown:
        extraction_of(app, "sauce", f"{code}:Producer")
    assert "did you mean 'source'" in str(unknown.value.hint)
    with pytest.raises(rw.UnknownNameError, match="no name in .* is named 'Prodcer'") as unknown:
        load_code(f"{code}:Prodcer")
    assert "'Producer'" in str(unknown.value.hint)
    with pytest.raises(rw.OpenError, match="no module nowhere_at_all"):
        load_code("nowhere_at_all:X")
    with pytest.raises(rw.OpenError, match=r"no file nowhere\.py"):
        load_code("nowhere.py:X")
    for text in ("Producer", ":Producer", f"{code}:"):
        with pytest.raises(rw.OptionError, match="names no code"):
            load_code(text)
    with pytest.raises(rw.OptionError, match="cannot be called"):
        extraction_of(app, "source", f"{code}:number")


def test_a_file_that_cannot_be_loaded_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text("def f(:\n")
    with pytest.raises(rw.OpenError, match=r"broken\.py cannot be loaded: SyntaxError"):
        load_code("broken.py:f")
    Path("lacking.py").write_text("import nowhere_at_all\n")
    with pytest.raises(rw.OpenError, match="No module named 'nowhere_at_all'"):
        load_code("lacking.py:f")


def test_a_class_whose_object_cannot_be_made_is_the_users(
    tmp_path: Path, launched: Callable[..., rw.Application]
) -> None:
    path = tmp_path / "unmade.py"
    path.write_text("class Producer:\n    def __init__(self):\n        raise ValueError('no model')\n")
    app = launched("videotestsrc num-buffers=1 name=source ! fakesink")
    with pytest.raises(rw.OpenError, match=r"unmade\.py:Producer\(\) failed: ValueError: no model") as caught:
        extraction_of(app, "source", f"{path}:Producer")
    assert isinstance(caught.value.__cause__, ValueError)


def test_two_files_of_one_name_are_two(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine_of_two.py").write_text(f"WHO = {folder!r}\n")
    assert [load_code(f"{tmp_path / each / 'mine_of_two.py'}:WHO") for each in ("a", "b")] == ["a", "b"]
