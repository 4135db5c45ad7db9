"""`shared`: what another process shares goes on as a stream of a session."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy
import pytest

import reelway as rw
from reelway import share
from reelway.media.frame import MemoryFrame
from tests.filters.parts import Watch
from tests.share_filters.conftest import PICTURE, Beside, pictures, source, until

Start = Callable[..., Beside]
FULL = {**PICTURE, "Timescale": 25}


def picture(number: int) -> bytes:
    return bytes([number]) * 24


def numbers(watch: Watch) -> list[int]:
    return [int(packet.array().flat[0]) for _, _, packet in watch.seen]


def test_a_stream_goes_from_session_to_session_as_it_was(beside: Start) -> None:
    packets = pictures(30)
    packets[3].properties = {"Boxes": [[1, 2, 3, 4]], "Rate": Fraction(1, 3)}
    packets[4].corrupted = True
    packets[5].capture_time = 1_700_000_000_000_000_000
    writing = beside(source(packets, FPS=Fraction(25)), "share:name=cam1:wait_readers=1")
    watch = Watch()
    beside("shared:name=cam1", watch, "null").join()
    writing.join()
    came = [packet for _, _, packet in watch.seen]
    assert numbers(watch) == list(range(30))
    assert [(p.dts, p.cts, p.duration, p.sap, p.size) for p in came] == [(n, n, 1, 1, 24) for n in range(30)]
    assert [each["Width"] for each in watch.properties] == [4]
    assert watch.properties[0]["FPS"] == Fraction(25)
    assert came[3].properties == {"Boxes": [[1, 2, 3, 4]], "Rate": Fraction(1, 3)}
    assert [packet.corrupted for packet in came] == [n == 4 for n in range(30)]
    assert came[5].capture_time == 1_700_000_000_000_000_000


def test_packets_are_the_shared_memory_which_is_let_go_of_with_the_last_view(beside: Start) -> None:
    with share.Writer("cam1", slots=4) as writer:
        sink = rw.AppSink(pixel_format="rgb24")
        running = beside("shared:name=cam1", sink)
        assert writer.wait_readers(1, 20)
        writer.write(picture(7), properties=FULL, dts=0)
        packet = sink.pull(20)
        assert packet is not None
        assert isinstance(packet.payload, MemoryFrame)
        with pytest.raises(ValueError, match="read-only"):
            packet.payload.planes(writable=True)[0][:] = 1
        plane = packet.planes()[0]
        del packet
        assert [told.held for told in writer.readers] == [1]
        assert plane.tolist() == [[[7, 7, 7]] * 4] * 2
        del plane
        until(lambda: [told.held for told in writer.readers] == [0])
        running.stop()


def test_who_keeps_many_frames_holds_no_writer_up(beside: Start) -> None:
    """Beyond half of the slots they are copies."""
    with share.Writer("cam1", slots=4, patience_s=20) as writer:
        watch = Watch()
        running = beside("shared:name=cam1", watch, "null")
        assert writer.wait_readers(1, 20)
        for number in range(40):
            writer.write(picture(number), properties=FULL, dts=number)
    running.join()
    assert numbers(watch) == list(range(40))


def test_new_properties_in_mid_stream(beside: Start) -> None:
    with share.Writer("cam1") as writer:
        watch = Watch()
        running = beside("shared:name=cam1", watch, "null")
        assert writer.wait_readers(1, 20)
        writer.write(picture(1), properties=FULL, dts=0)
        writer.write(picture(2) * 2, properties=FULL | {"Width": 8}, dts=1)
    running.join()
    assert [each["Width"] for each in watch.properties] == [4, 8]
    assert [packet.planes()[0].shape for _, _, packet in watch.seen] == [(2, 4, 3), (2, 8, 3)]


def test_the_plan_knows_a_writer_that_is_there() -> None:
    with share.Writer("cam1") as writer, rw.Session() as session:
        writer.write(picture(1), properties=FULL, dts=0)
        session.chain(session.load("shared:name=cam1"), session.add(rw.AppSink(pixel_format="gray")))
        assert "convert" in str(session.explain())


def test_coded_packets_are_decoded_on_the_other_side(beside: Start, film: Path) -> None:
    writing = beside(f"src={film}", "share:name=coded:wait_readers=1")
    sink = rw.AppSink(pixel_format="yuv420p")
    reading = beside("shared:name=coded", sink)
    came = [hashlib.md5(packet.array().tobytes()).hexdigest() for packet in sink]
    reading.join()
    writing.join()
    assert came == [
        hashlib.md5(frame.array.tobytes()).hexdigest() for frame in rw.frames(film, pixel_format="yuv420p")
    ]


def test_arrays_are_data_with_the_time_of_their_arrival(beside: Start) -> None:
    with share.Writer("boxes") as writer:
        sink = rw.AppSink()
        beside("shared:name=boxes", sink)
        assert writer.wait_readers(1, 20)
        boxes = numpy.array([[1, 2, 3, 4], [5, 6, 7, 8]], numpy.float32)
        writer.write(boxes, metadata={"of": 12})
        writer.write(boxes + 1)
        first, second = sink.pull(20), sink.pull(20)
        assert first is not None
        assert second is not None
        assert first.payload.tolist() == boxes.tolist()
        assert first.properties == {"of": 12}
        assert sink.properties == {"StreamType": "Metadata", "Timescale": 1_000_000}
        assert first.dts == 0
        assert second.dts is not None
        assert second.dts > 0


def test_arrays_may_be_said_to_be_pictures(beside: Start) -> None:
    with share.Writer("cv") as writer:
        sink = rw.AppSink(pixel_format="rgb24")
        beside("shared:name=cv:pixel_format=bgr24", sink)
        assert writer.wait_readers(1, 20)
        writer.write(numpy.full((64, 64, 3), (10, 20, 30), numpy.uint8))
        packet = sink.pull(20)
        assert packet is not None
        assert packet.array()[0, 0].tolist() == [30, 20, 10]


def test_latest_gives_the_newest_and_counts_the_others(beside: Start) -> None:
    with share.Writer("cam1") as writer:
        for number in range(5):
            writer.write(picture(number), properties=FULL, dts=number)
        sink = rw.AppSink()
        running = beside("shared:name=cam1:policy=latest", sink)
        packet = sink.pull(20)
        assert packet is not None
        assert packet.dts == 4
    running.join()


def test_nobody_shares_it() -> None:
    with rw.Session() as session:
        session.chain(session.load("shared:name=cam1:timeout=0.01"), session.load("null"))
        with pytest.raises(rw.DeadlineError, match=r"nobody shares cam1, after 0\.01 s") as caught:
            session.run()
    assert caught.value.hint == "`reelway shared` lists what there is"


def test_it_stops_while_it_waits_for_a_writer_and_for_a_frame(beside: Start) -> None:
    running = beside("shared:name=cam1:timeout=0", "null")
    until(lambda: running.filters[0].status == "waits for cam1")
    running.stop()
    with share.Writer("cam1") as writer:
        running = beside("shared:name=cam1", "null")
        assert writer.wait_readers(1, 20)
        running.stop()
    assert running.error is None


def kill(writer: share.Writer) -> None:
    """It goes without a word, as a process that is killed."""
    for guest in tuple(writer._desk.guests.reading):
        guest.link.shutdown(2)
    writer.close()


def test_a_writer_that_is_gone_ends_the_stream(beside: Start) -> None:
    writer = share.Writer("cam1")
    running = beside("shared:name=cam1", "null")
    assert writer.wait_readers(1, 20)
    kill(writer)
    running.join()


def test_a_writer_that_is_gone_is_an_error_where_that_is_asked(beside: Start) -> None:
    writer = share.Writer("cam1")
    running = beside("shared:name=cam1:when_gone=error", "null")
    assert writer.wait_readers(1, 20)
    kill(writer)
    with pytest.raises(rw.OpenError, match="cam1: the writer is gone without a word"):
        running.join()
    running.error = None


def test_a_writer_that_comes_back_with_another_size_goes_on_as_a_restart(beside: Start) -> None:
    watch = Watch()
    writer = share.Writer("cam1")
    running = beside("shared:name=cam1:when_gone=wait", watch, "null")
    assert writer.wait_readers(1, 20)
    writer.write(picture(1), properties=FULL, dts=100)
    until(lambda: len(watch.seen) == 1)
    writer.close()
    until(lambda: running.filters[0].status == "waits for cam1")
    with share.Writer("cam1") as writer:
        assert writer.wait_readers(1, 20)
        writer.write(picture(2) * 2, properties=FULL | {"Width": 8}, dts=0)
        until(lambda: len(watch.seen) == 2)
    assert numbers(watch) == [1, 2]
    assert [each["Width"] for each in watch.properties] == [4, 8]
    assert watch.restarts == 1
    running.stop()


def test_a_reader_in_a_fresh_process_loads_no_av(beside: Start) -> None:
    running = beside("testvideo:size=320x180:frames=3", "share:name=cam1:wait_readers=1")
    code = (
        "import sys, reelway\n"
        "with reelway.share.open('cam1') as frames: print(sum(1 for _ in frames))\n"
        "print([name for name in sys.modules if name in {'av', 'PIL', 'lark'} or 'engine' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    running.join()
    assert (done.stdout, done.stderr) == ("3\n[]\n", "")


def test_stop_ends_it(beside: Start) -> None:
    with share.Writer("cam1") as writer:
        writer.write(picture(1), properties=FULL, dts=0)
        sink = rw.AppSink()
        running = beside("shared:name=cam1:policy=latest", sink)
        assert sink.pull(20) is not None
        sink.send_event(rw.events.Stop())
        running.join()
        until(lambda: not writer.readers)
