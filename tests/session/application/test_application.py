"""Applications as their users see them: launched, watched, asked, changed and stopped."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reelway as rw
from reelway.graph.states import State
from reelway.session.application.application import Application
from reelway.session.application.bus import Message
from reelway.testing.burnin import read_counter
from tests.media import make, probe

LIVE = "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=100/1"


@pytest.fixture
def launched() -> Iterator[Callable[..., Application]]:
    """`rw.launch`, and everything that it made is stopped at the end."""
    made: list[Application] = []

    def launch(text: str, **options: object) -> Application:
        made.append(rw.launch(text, **options))  # type: ignore[arg-type]
        return made[-1]

    yield launch
    for application in made:
        application.stop()


def kinds(application: Application) -> list[str]:
    return [message.kind for message in iter(application.bus.pop, None)]


# To the end


def test_a_pipeline_runs_to_its_end_and_says_so(launched: Callable[..., Application], tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    app = launched(
        "videotestsrc num-buffers=30 ! video/x-raw,width=320,height=240 ! x264enc ! mp4mux "
        "! filesink location={out}",
        out=out,
        background=False,
    )
    assert app.over.is_set()
    said = kinds(app)
    assert said[-1] == "eos"
    assert "async-done" in said
    app.stop()
    assert app.state == State.NULL
    assert len(probe.packets(out)[0].packets) == 30


def test_states_are_told_of_every_element_in_order(launched: Callable[..., Application]) -> None:
    app = launched("videotestsrc num-buffers=3 ! fakesink", background=False)
    app.stop()
    told: dict[str, list[State]] = {}
    for message in iter(app.bus.pop, None):
        if message.kind == "state-changed":
            assert told.setdefault(message.name, [State.NULL])[-1] == message["old"]
            told[message.name].append(message["new"])
    up_and_down = [
        State.NULL,
        State.READY,
        State.PAUSED,
        State.PLAYING,
        State.PAUSED,
        State.READY,
        State.NULL,
    ]
    assert told == dict.fromkeys(("videotestsrc0", "fakesink0", "pipeline0"), up_and_down)


def test_what_fails_is_raised_told_and_leaves_nothing_running(launched: Callable[..., Application]) -> None:
    with pytest.raises(rw.OpenError, match="No such file"):
        launched("filesrc location=/nowhere.mp4 ! decodebin ! fakesink")
    assert not [each for each in threading.enumerate() if each.name == "reelway-application"]


def test_an_error_in_mid_stream_is_a_message_of_its_element_and_ends_the_wait(
    launched: Callable[..., Application],
) -> None:
    app = launched(f"{LIVE} ! identity error-after=20 name=bad ! fakesink")
    with pytest.raises(rw.ReelwayError):
        app.wait(20)
    message = app.bus.pop("error")
    assert message is not None
    assert message.name == "bad"
    assert isinstance(message["error"], rw.ReelwayError)


def test_eos_for_all_ends_it_with_everything_that_was_under_way(
    launched: Callable[..., Application], tmp_path: Path
) -> None:
    out = tmp_path / "out.mkv"
    app = launched(f"{LIVE} ! x264enc ! matroskamux ! filesink location={{out}}", out=out)
    enough = threading.Event()
    app["x264enc0"].pad("sink").add_probe("packet", Counting(20, enough))
    assert enough.wait(20)
    app.send_eos()
    assert app.wait(20)
    assert app.bus.pop("eos") is not None
    app.stop()
    numbers = probe.packets(out)[0].packets
    assert len(numbers) >= 20


class Counting:
    """A probe that says when it has seen so many."""

    def __init__(self, count: int, enough: threading.Event) -> None:
        self.count, self.enough, self.times = count, enough, []

    def __call__(self, _pad: object, packet: rw.Packet) -> None:
        self.times.append(packet.cts)
        if len(self.times) >= self.count:
            self.enough.set()


# Standing still, going elsewhere


def test_paused_has_the_first_picture_and_nothing_moves(launched: Callable[..., Application]) -> None:
    app = launched("videotestsrc ! fakesink sync=true", start=False)
    app.set_state(State.PAUSED)
    assert app.wait_for(State.PAUSED, 20)
    position = app.query.position()
    assert position is not None
    sink = app["fakesink0"].filter
    assert sink is not None
    taken = sink.ipids[0].packets_out
    assert taken >= 1
    assert (app.query.position(), sink.ipids[0].packets_out) == (position, taken)
    moved = threading.Event()
    app["fakesink0"].pad("sink").add_probe("packet", Counting(3, moved))
    app.play()
    assert moved.wait(20)
    assert app.state == State.PLAYING


def test_a_seek_goes_on_exactly_there_and_what_was_queued_is_not_shown(
    launched: Callable[..., Application], film: str
) -> None:
    seen = Counting(1 << 30, threading.Event())
    app = launched(f"filesrc location={film} ! decodebin ! videoconvert ! fakesink sync=true", start=False)
    app.set_state(State.PAUSED)
    app.wait_for(State.PAUSED, 20)
    sink = app["fakesink0"]
    sink.pad("sink").add_probe("packet", seen)
    assert app.query.seeking().seekable
    assert app.query.duration() == pytest.approx(2.0, abs=0.1)
    app.seek(1.0, speed=50.0)
    app.play()
    assert app.wait(20)
    first = seen.times[0]
    assert first is not None
    timescale = sink.pad("sink").stream["Timescale"]
    assert first / timescale == pytest.approx(1.0, abs=0.021)
    assert len(seen.times) == 25


def test_a_seek_that_is_asked_for_while_the_first_picture_comes_is_waited_for(
    launched: Callable[..., Application], tmp_path: Path
) -> None:
    """The first picture, which is told of behind it, is not taken for the seek's."""
    film = make.film(tmp_path / "film.mp4", seconds=40, size=(320, 240), audio=0)
    app = launched(f"filesrc location={film} ! decodebin ! videoconvert ! fakesink sync=true", start=False)

    def arrived(_old: State, new: State) -> None:
        if new == State.PAUSED:
            app.on_state = None
            app.seek(1.2)
            asked.set()

    asked = threading.Event()
    app.on_state = arrived
    app.pause()
    assert asked.wait(20.0)
    assert app.wait_seek(20.0)
    assert app.query.position() == pytest.approx(1.2, abs=0.05)
    app.stop()
    assert app.wait_seek(0.0)


def test_after_the_end_a_seek_plays_again(launched: Callable[..., Application], film: str) -> None:
    app = launched(f"filesrc location={film} ! decodebin ! videoconvert ! fakesink", background=False)
    assert app.bus.pop("eos") is not None
    app.seek(1.5)
    assert app.wait(20)
    assert app.bus.pop("eos") is not None


# Probes


def test_probes_see_change_and_drop_packets_on_either_side(launched: Callable[..., Application]) -> None:
    app = launched("videotestsrc num-buffers=20 ! identity ! fakesink", start=False)
    events: list[str] = []
    count = [0]

    def every_other(_pad: object, _packet: rw.Packet) -> bool | None:
        count[0] += 1
        return count[0] % 2 == 1 or False

    app["videotestsrc0"].pad("src").add_probe("packet", every_other)
    app["fakesink0"].pad("sink").add_probe("event", lambda _pad, name: events.append(name))
    sink = app["fakesink0"]
    kept = Counting(10, threading.Event())
    sink.pad("sink").add_probe("packet", kept)
    app.play()
    assert app.wait(20)
    assert count[0] == 20
    assert len(kept.times) == 10
    assert events[-1] == "eos"
    assert app["videotestsrc0"].pad("src").pid.packets_taken == 10  # type: ignore[union-attr]


def test_a_probe_that_was_removed_is_not_called_any_more(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! fakesink")
    first, second = threading.Event(), threading.Event()
    gone, stays = Counting(5, first), Counting(5, second)
    probe_ = app["fakesink0"].pad("sink").add_probe("packet", gone)
    assert first.wait(20)
    probe_.remove()
    app.session._scheduler.ask(lambda: None)  # type: ignore[union-attr]  # behind the removal
    before = len(gone.times)
    app["fakesink0"].pad("sink").add_probe("packet", stays)
    assert second.wait(20)
    assert len(gone.times) == before


def test_a_block_lets_nothing_pass_until_it_is_removed(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! fakesink")
    blocked, moving = threading.Event(), threading.Event()
    pad = app["fakesink0"].pad("sink")
    block = pad.add_probe("block", lambda _pad, _nothing: blocked.set())
    assert blocked.wait(20)
    taken = app["fakesink0"].filter.ipids[0].packets_out  # type: ignore[union-attr]
    app.session._scheduler.ask(lambda: None)  # type: ignore[union-attr]
    assert app["fakesink0"].filter.ipids[0].packets_out == taken  # type: ignore[union-attr]
    block.remove()
    pad.add_probe("packet", Counting(3, moving))
    assert moving.wait(20)


# Changing


def test_a_live_option_is_seen_within_two_pictures_and_none_is_lost(
    launched: Callable[..., Application],
) -> None:
    app = launched(
        "videotestsrc pattern=white counter=true ! video/x-raw,width=640,height=360,framerate=50/1 "
        "! appsink name=out"
    )
    sink = app["out"].filter
    assert isinstance(sink, rw.AppSink)
    numbers, dark = [], []
    asked_at = None
    for _ in range(40):
        packet = sink.pull(20)
        assert packet is not None
        numbers.append(read_counter(packet.planes()[0])[0])
        dark.append(int(packet.planes()[0][300, 600]) < 60)
        if len(numbers) == 20:
            app.options["videotestsrc0.pattern"] = "black"
            asked_at = numbers[-1]
    assert numbers == list(range(numbers[0], numbers[0] + 40))
    assert asked_at is not None
    changed = numbers[dark.index(True)]
    assert changed - asked_at <= 3  # the one that was there, and at most two more
    assert all(dark[dark.index(True) :])


def test_options_name_what_can_change_and_refuse_the_rest(launched: Callable[..., Application]) -> None:
    app = launched("videotestsrc num-buffers=5 ! fakesink", start=False)
    assert "videotestsrc0.pattern" in app.options
    assert app.options["videotestsrc0.pattern"] == "smpte"
    assert "smpte" in app.options.describe("videotestsrc0.pattern")
    with pytest.raises(rw.OptionError, match="cannot change while the pipeline plays"):
        app.options["videotestsrc0.num-buffers"] = 3
    with pytest.raises(rw.UnknownNameError, match="patern"):
        app.options["videotestsrc0.patern"] = "ball"
    with pytest.raises(rw.OptionError, match="bal"):
        app.options["videotestsrc0.pattern"] = "bal"
    del app.options["videotestsrc0.pattern"]
    assert app.options["videotestsrc0.pattern"] == "smpte"


def test_recording_branches_come_and_go_and_the_main_path_misses_nothing(
    launched: Callable[..., Application], tmp_path: Path, count: Callable[[int], int]
) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! fakesink name=main")
    main = Counting(1 << 30, threading.Event())
    app["main"].pad("sink").add_probe("packet", main)
    files, memory = [], []
    for number in range(count(100)):
        out = tmp_path / f"{number}.mp4"
        branch = app.pipeline.branch(
            f"queue ! x264enc tune=zerolatency ! mp4mux ! filesink location={out}", app["t"]
        )
        enough = threading.Event()
        branch["x264enc"].pad("sink").add_probe("packet", Counting(5, enough))
        assert enough.wait(20)
        branch.remove()
        files.append(out)
        gc.collect()
        memory.append(_resident_mb())
    app.stop()
    for out in files:
        packets = probe.packets(out)[0].packets
        assert len(packets) >= 5
        assert probe.ffprobe(out, "-show_streams")[1] == ""
    steps = {later - earlier for earlier, later in zip(main.times, main.times[1:], strict=False)}
    assert steps == {1}
    assert len(app.pipeline.elements) == 4
    assert memory[-1] - memory[len(memory) // 5] < 20


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


# Streams that are found


def test_pads_appear_for_the_streams_of_a_film_and_can_be_linked_then(
    launched: Callable[..., Application], film: str
) -> None:
    app = launched(f"filesrc location={film} ! qtdemux name=d fakesink name=v fakesink name=a", start=False)
    names: list[str] = []
    over = threading.Event()

    def added(element: object, pad: object) -> None:
        names.append(pad.name)  # type: ignore[attr-defined]
        kind = pad.stream["StreamType"]  # type: ignore[attr-defined]
        app.pipeline.link(pad, app["v" if kind == "Visual" else "a"])  # type: ignore[arg-type]

    app["d"].connect("pad-added", added)
    app["d"].connect("no-more-pads", lambda _element: over.set())
    app.play()
    assert app.wait(20)
    assert over.is_set()
    assert sorted(names) == ["audio_0", "video_0"]
    assert app["v"].filter.ipids[0].packets_out == 50  # type: ignore[union-attr]


def test_one_decodebin_feeds_picture_and_sound(launched: Callable[..., Application], film: str) -> None:
    app = launched(
        f"filesrc location={film} ! decodebin name=d d. ! queue ! audioconvert ! fakesink name=a "
        "d. ! queue ! videoconvert ! fakesink name=v",
        background=False,
    )
    assert app["a"].pad("sink").stream["StreamType"] == "Audio"
    assert app["v"].pad("sink").stream["StreamType"] == "Visual"
    assert app["v"].filter.ipids[0].packets_out == 50  # type: ignore[union-attr]
    tags = [message["tags"] for message in iter(lambda: app.bus.pop("tag"), None)]
    assert {"h264", "aac"} <= {str(value) for each in tags for value in each.values()}


# Ends


@pytest.mark.alone
def test_stop_is_quick_and_a_second_one_changes_nothing(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! fakesink sync=true")
    begun = time.monotonic()
    app.stop()
    app.stop()
    assert time.monotonic() - begun < 2
    assert app.state == State.NULL


def test_a_callback_may_stop_the_application_from_its_own_thread(
    launched: Callable[..., Application],
) -> None:
    app = launched(f"{LIVE} ! fakesink", start=False)

    def stop(_message: Message) -> None:
        app.halt()

    app.bus.connect("async-done", stop)
    app.play()
    assert app.wait(20)


def test_the_application_may_play_again_after_a_stop(launched: Callable[..., Application]) -> None:
    app = launched("videotestsrc num-buffers=5 ! fakesink", background=False)
    for _ in range(3):
        app.stop()
        app.play()
        assert app.wait(20)
        assert app.bus.pop("eos") is not None


def test_many_applications_leave_nothing_behind(launched: Callable[..., Application]) -> None:
    for _ in range(20):
        launched("videotestsrc num-buffers=3 ! fakesink", background=False).stop()
    assert not [each for each in threading.enumerate() if each.name.startswith("reelway")]


def test_a_callback_may_ask_for_null_on_the_applications_own_thread(
    launched: Callable[..., Application],
) -> None:
    app = launched(f"{LIVE} ! fakesink", start=False)
    closed = threading.Event()
    app.on_state = lambda _old, new: closed.set() if new == State.NULL else None
    app.bus.connect("async-done", lambda _message: app.stop())
    app.play()
    assert closed.wait(20)
    assert app.state == State.NULL


def test_states_asked_for_by_several_threads_at_once_end_where_the_last_one_says(
    launched: Callable[..., Application],
) -> None:
    app = launched(f"{LIVE} ! fakesink sync=true", start=False)
    both = threading.Barrier(4, timeout=20)

    def ask(state: State) -> None:
        both.wait()
        app.set_state(state)

    for _ in range(5):
        states = (State.PLAYING, State.PAUSED, State.NULL, State.PLAYING)
        threads = [threading.Thread(target=ask, args=(state,)) for state in states]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        app.stop()
        assert app.state == State.NULL


# What an impatient user found


@pytest.mark.parametrize("text", ["appsrc ! fakesink", f"{LIVE} ! valve drop=true ! fakesink"])
def test_stop_before_the_first_packet_closes_everything(
    launched: Callable[..., Application], text: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    app = launched(f"{LIVE} ! x264enc ! mp4mux ! filesink location={out} {text}", start=False)
    recorded = threading.Event()
    app["x264enc0"].pad("sink").add_probe("packet", Counting(20, recorded))
    app.play()
    assert recorded.wait(20)
    app.stop()
    assert (app.state, app.session) == (State.NULL, None)
    assert not [each for each in threading.enumerate() if each.name == "reelway-application"]
    assert probe.packets(out)[0].packets


@pytest.mark.parametrize("kind", ["state-changed", "async-done", "stream-start"])
def test_a_callback_stops_it_whatever_it_was_called_for(
    launched: Callable[..., Application], kind: str
) -> None:
    app = launched(f"{LIVE} ! fakesink", start=False)
    stopped = threading.Event()
    app.on_state = lambda _old, new: stopped.set() if new == State.NULL else None
    app.bus.connect(kind, lambda _message: app.stop() if app.state >= State.READY else None)  # type: ignore[arg-type]
    app.play()
    assert stopped.wait(20)
    assert app.wait_for("NULL", 20)
    assert app.session is None


def test_a_probe_stops_it_at_the_very_first_packet(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! fakesink", start=False)
    app["fakesink0"].pad("sink").add_probe("packet", lambda _pad, _packet: app.stop())
    app.play()
    assert app.wait_for(State.NULL, 20)
    assert app.session is None


def test_a_probe_that_ends_the_program_ends_the_application(launched: Callable[..., Application]) -> None:
    def leave(_pad: object, _packet: rw.Packet) -> None:
        raise SystemExit(7)

    app = launched(f"{LIVE} ! fakesink", start=False)
    app["fakesink0"].pad("sink").add_probe("packet", leave)
    app.play()
    with pytest.raises(rw.FilterError):
        app.wait(20)


def test_a_probe_says_whose_fault_it_is_and_is_not_called_when_it_has_removed_itself(
    launched: Callable[..., Application],
) -> None:
    app = launched("videotestsrc num-buffers=100 ! fakesink", start=False)
    calls: list[int] = []

    def once(_pad: object, _packet: rw.Packet) -> None:
        calls.append(1)
        if len(calls) == 5:
            mine.remove()

    mine = app["fakesink0"].pad("sink").add_probe("packet", once)
    app.play()
    assert app.wait(20)
    assert len(calls) == 5
    app.stop()
    app["fakesink0"].pad("sink").add_probe("packet", lambda _pad, _packet: 0)
    app.play()
    with pytest.raises(rw.FilterError, match="the probe at fakesink0.sink returned 0"):
        app.wait(20)


def test_places_and_speeds_that_make_no_sense_are_refused(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! fakesink")
    for wrong in (float("nan"), float("inf"), -1.0, None, "x"):
        with pytest.raises(rw.OptionError, match="start_s is"):
            app.seek(wrong)  # type: ignore[arg-type]
    for wrong in (0.0, -1.0, float("nan"), "x"):
        with pytest.raises(rw.OptionError, match="speed is"):
            app.seek(0.0, speed=wrong)  # type: ignore[arg-type]
    with pytest.raises(rw.OptionError, match="'PAUSE' is no state"):
        app.set_state("PAUSE")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("videotestsrc num-buffers=3", "nothing is linked to videotestsrc0"),
        ("videotestsrc num-buffers=3 fakesink", "nothing is linked to videotestsrc0"),
        ("videotestsrc ! fakesink identity name=a ! identity name=b ! a.", "would make a loop"),
    ],
)
def test_a_text_that_does_nothing_is_refused(text: str, what: str) -> None:
    with pytest.raises(rw.ReelwayError, match=what):
        rw.launch(text)


def test_a_branch_is_not_removed_by_who_would_wait_for_himself(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! fakesink name=main")
    branch = app.pipeline.branch("queue ! fakesink", app["t"])
    told: list[Exception] = []

    def remove(_pad: object, _packet: rw.Packet) -> None:
        try:
            branch.remove()
        except rw.StateError as error:
            told.append(error)
            branch.remove(timeout_s=None)
        mine.remove()

    mine = app["main"].pad("sink").add_probe("packet", remove)
    seen = threading.Event()
    app["main"].pad("sink").add_probe("packet", Counting(10, seen))
    assert seen.wait(20)
    assert "would wait for itself" in str(told[0])
    assert len(app.pipeline.elements) == 4


def test_the_elements_of_a_branch_go_by_the_names_of_its_text(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! fakesink name=rec")
    branches = [app.pipeline.branch("queue name=q ! fakesink name=rec", app["t"]) for _ in range(2)]
    assert len({each["rec"].name for each in branches}) == 2
    assert all(each["rec"] is not app["rec"] for each in branches)
    with pytest.raises(rw.UnknownNameError, match="no element of this branch is named 'rac'"):
        branches[0]["rac"]


def test_a_block_behind_a_tee_holds_its_own_branch_only(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! fakesink name=first t. ! fakesink name=second")
    blocked, moving = threading.Event(), threading.Event()
    second = app["second"].entry
    assert second is not None
    block = app["t"].pads[2].add_probe("block", lambda _pad, _nothing: blocked.set())
    assert blocked.wait(20)
    taken = second.ipids[0].packets_out
    link = second.ipids[0]
    deadline = time.monotonic() + 20
    while not link.full:  # it gets more, and takes none
        assert time.monotonic() < deadline
        time.sleep(0)
    assert link.packets_out == taken
    block.remove()
    app["second"].pad("sink").add_probe("packet", Counting(3, moving))
    assert moving.wait(20)


def test_a_callback_stops_it_while_who_started_it_is_still_at_it(
    launched: Callable[..., Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = launched(f"{LIVE} ! fakesink", start=False)
    asked = threading.Event()

    def stop(_message: object) -> None:
        app.stop()
        asked.set()

    class Slow(threading.Thread):
        def start(self) -> None:
            super().start()
            assert asked.wait(20)

    app.bus.connect("stream-start", stop)
    monkeypatch.setattr("reelway.session.application.application.threading.Thread", Slow)
    app.play()
    assert app.wait_for("NULL", 20)
    assert app.session is None


@pytest.mark.alone
def test_two_threads_stop_it_one_of_them_its_own(launched: Callable[..., Application]) -> None:
    app = launched(f"{LIVE} ! fakesink", start=False)
    here = threading.Event()

    def stop(_pad: object, _packet: rw.Packet) -> None:
        here.set()
        app.stop()

    app["fakesink0"].pad("sink").add_probe("packet", stop)
    app.play()
    assert here.wait(20)
    begun = time.monotonic()
    app.stop()
    assert time.monotonic() - begun < 3
    assert app.wait_for(State.NULL, 20)


def test_what_an_application_pushes_comes_after_the_launch(launched: Callable[..., Application]) -> None:
    app = launched("appsrc name=in ! fakesink name=out")
    source = app["in"].filter
    assert isinstance(source, rw.AppSource)
    source.push(b"packet", time_s=0.0)
    source.end()
    assert app.wait(20)
