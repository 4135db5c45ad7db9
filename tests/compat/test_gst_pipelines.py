"""Pipelines, bins, elements, pads and the bus with GStreamer's names: what they do, and what they refuse."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.compat.gst import app as GstApp
from reelway.compat.gst import base as GstBase
from reelway.compat.gst import glib as GLib
from reelway.compat.gst import gobject as GObject
from reelway.compat.gst import gstreamer as Gst
from tests.media import make, probe

ENDS = Gst.MessageType.EOS | Gst.MessageType.ERROR
SMALL = "video/x-raw,format=GRAY8,width=16,height=8,framerate=10/1"


@pytest.fixture
def opened() -> Iterator[list[Any]]:
    """Pipelines that are closed at the end."""
    made: list[Any] = []
    yield made
    for pipeline in made:
        pipeline.set_state(Gst.State.NULL)


def play(pipeline: Any, opened: list[Any]) -> Any:
    """Plays to the end; the message that says so."""
    opened.append(pipeline)
    assert pipeline.set_state(Gst.State.PLAYING) != Gst.StateChangeReturn.FAILURE
    message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, ENDS)
    assert message is not None, "it did not end"
    return message


# Putting together


def test_a_text_is_a_pipeline_and_one_element_is_itself() -> None:
    pipeline = Gst.parse_launch("videotestsrc name=a ! queue ! fakesink name=b")
    assert isinstance(pipeline, Gst.Pipeline)
    assert pipeline.get_by_name("a").get_factory().get_name() == "videotestsrc"
    assert pipeline.get_by_name("none") is None
    assert Gst.parse_launch("fakesink name=alone").get_name() == "alone"


def test_bins_of_a_text_are_bins() -> None:
    pipeline = Gst.parse_launch("( name=inner videotestsrc name=a ! identity name=b ) ! fakesink name=c")
    inner = pipeline.get_by_name("inner")
    assert isinstance(inner, Gst.Bin)
    assert {each.get_name() for each in inner.iterate_elements()} == {"a", "b"}
    assert pipeline.get_by_name("a").get_parent() is inner


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("nosuch ! fakesink", 1, "no element is named 'nosuch'"),
        ("webrtcbin ! fakesink", 1, "webrtcbin is not part of Reelway"),
        ("fakesrc nosuch=1 ! fakesink", 2, "nosuch"),
        ("videotestsrc pattern=snwo ! fakesink", 4, "no value 'snwo'"),
        ("", 6, "empty pipeline"),
        ("fakesrc ! ", 0, "nothing stands after"),
    ],
)
def test_a_wrong_text_is_a_glib_error_with_gstreamers_code(text: str, code: int, says: str) -> None:
    with pytest.raises(GLib.Error) as caught:
        Gst.parse_launch(text)
    assert (caught.value.domain, caught.value.code) == ("gst_parse_error", code)
    assert isinstance(caught.value, rw.ReelwayError)
    assert says in caught.value.message


def test_elements_are_added_linked_and_removed() -> None:
    pipeline = Gst.Pipeline.new("p")
    source, sink = Gst.ElementFactory.make("videotestsrc", "a"), Gst.ElementFactory.make("fakesink", "b")
    assert not source.link(sink)
    pipeline.add(source, sink)
    assert source.link(sink)
    assert not source.link(sink)
    assert source.get_static_pad("src").get_peer().get_parent_element() is sink
    source.unlink(sink)
    assert not source.get_static_pad("src").is_linked()
    with pytest.raises(Gst.AddError, match="called b already"):
        pipeline.add(Gst.ElementFactory.make("fakesink", "b"))
    assert pipeline.remove(sink)
    assert sink.get_parent() is None
    assert not pipeline.remove(sink)


def test_pads_say_why_they_do_not_link() -> None:
    pipeline = Gst.Pipeline.new()
    source, other, sink = (
        Gst.ElementFactory.make(kind) for kind in ("videotestsrc", "audiotestsrc", "audioconvert")
    )
    pipeline.add(source, sink)
    src, sound = source.get_static_pad("src"), sink.get_static_pad("sink")
    assert sound.link(src) == Gst.PadLinkReturn.WRONG_DIRECTION
    assert src.link(sound) == Gst.PadLinkReturn.NOFORMAT
    assert other.get_static_pad("src").link(sound) == Gst.PadLinkReturn.WRONG_HIERARCHY
    pipeline.add(other)
    assert other.get_static_pad("src").link(sound) == Gst.PadLinkReturn.OK
    assert other.get_static_pad("src").link(sound) == Gst.PadLinkReturn.WAS_LINKED


def test_link_many_raises(caplog: pytest.LogCaptureFixture) -> None:
    pipeline = Gst.Pipeline.new()
    elements = [Gst.ElementFactory.make(kind, kind) for kind in ("audiotestsrc", "videoconvert", "fakesink")]
    pipeline.add(*elements)
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(Gst.LinkError, match="audiotestsrc and videoconvert"),
    ):
        Gst.Element.link_many(*elements)
    assert "put a converter, decoder or parser in between" in caplog.text


def test_unknown_elements_are_none_and_the_log_says_what_is_near(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert Gst.ElementFactory.make("vidoetestsrc", None) is None
        assert Gst.ElementFactory.find("webrtcbin") is None
    assert "did you mean 'videotestsrc'" in caplog.text
    assert "webrtcbin is not part of Reelway" in caplog.text


def test_request_pads_are_numbered_and_given_back() -> None:
    tee = Gst.ElementFactory.make("tee")
    first, fifth, next_one = (tee.request_pad_simple(name) for name in ("src_%u", "src_5", "src_%u"))
    assert [pad.get_name() for pad in (first, fifth, next_one)] == ["src_0", "src_5", "src_6"]
    tee.release_request_pad(first)
    assert [pad.get_name() for pad in tee.srcpads] == ["src_5", "src_6"]
    assert tee.request_pad_simple("sink_%u") is None


def test_ghost_pads_let_a_bin_be_linked(opened: list[Any]) -> None:
    within = Gst.parse_bin_from_description("identity name=i ! videoconvert", True)
    assert sorted(pad.get_name() for pad in within.pads) == ["sink", "src"]
    pipeline = Gst.Pipeline.new()
    source = Gst.ElementFactory.make("videotestsrc")
    source.set_property("num-buffers", 3)
    sink = Gst.ElementFactory.make("fakesink")
    pipeline.add(source, within, sink)
    assert source.link(within)
    assert within.link(sink)
    seen: list[int] = []
    within.get_by_name("i").connect("handoff", lambda element, buffer: seen.append(buffer.get_size()))
    assert play(pipeline, opened).type == Gst.MessageType.EOS
    assert seen == [320 * 240 * 3 // 2] * 3


def test_a_bin_is_linked_before_it_is_added_and_keeps_its_links(opened: list[Any]) -> None:
    within = Gst.Bin.new("within")
    source, middle = Gst.ElementFactory.make("fakesrc", "x"), Gst.ElementFactory.make("identity", "y")
    source.set_property("num-buffers", 2)
    within.add(source, middle)
    assert source.link(middle)
    within.add_pad(Gst.GhostPad.new("src", middle.get_static_pad("src")))
    pipeline = Gst.Pipeline.new()
    sink = Gst.ElementFactory.make("fakesink", "x")  # a name that the bin has, too
    pipeline.add(within, sink)
    assert within.link(sink)
    assert play(pipeline, opened).type == Gst.MessageType.EOS


def test_a_ghost_pad_gets_its_target_when_it_appears(opened: list[Any]) -> None:
    within = Gst.Bin.new("source-bin")
    decoder = Gst.ElementFactory.make("uridecodebin")
    decoder.set_property("uri", make.media("film.mp4").as_uri())
    within.add(decoder)
    assert within.add_pad(Gst.GhostPad.new_no_target("src", Gst.PadDirection.SRC))
    ghost = within.get_static_pad("src")
    assert ghost.get_target() is None

    def on_pad_added(element: Any, pad: Any) -> None:
        if pad.get_current_caps().get_structure(0).get_name().startswith("video"):
            assert ghost.set_target(pad)

    decoder.connect("pad-added", on_pad_added)
    pipeline = Gst.Pipeline.new()
    counted: list[int] = []
    sink = Gst.ElementFactory.make("fakesink")
    pipeline.add(within, sink)
    assert ghost.link(sink.get_static_pad("sink")) == Gst.PadLinkReturn.OK
    sink.get_static_pad("sink").add_probe(
        Gst.PadProbeType.BUFFER, lambda pad, info: counted.append(info.get_buffer().pts) or 1
    )
    assert play(pipeline, opened).type == Gst.MessageType.EOS
    assert len(counted) == 100
    assert ghost.get_target().get_parent_element() is decoder
    assert {each.get_name() for each in within.iterate_elements()} == {decoder.get_name()}


# Properties


def test_properties_have_gstreamers_types() -> None:
    source = Gst.ElementFactory.make("videotestsrc")
    assert source.get_property("pattern").value_nick == "smpte"
    source.set_property("pattern", "ball")
    assert source.props.pattern == 18
    source.props.pattern = 1
    assert source.get_property("pattern").value_nick == "snow"
    encoder = Gst.ElementFactory.make("x264enc")
    encoder.set_property("tune", "zerolatency")
    assert int(encoder.get_property("tune")) == 4
    caps = Gst.ElementFactory.make("capsfilter")
    caps.set_property("caps", Gst.Caps.from_string("video/x-raw,width=3"))
    assert caps.get_property("caps").get_structure(0).get_int("width") == (True, 3)


@pytest.mark.parametrize(
    ("kind", "name", "value", "says"),
    [
        ("videotestsrc", "pattern", "bal", "no value 'bal'"),
        ("videotestsrc", "patern", 1, "did you mean 'pattern'"),
        ("volume", "volume", "loud", "takes a number"),
        ("volume", "volume", 11, "out of range"),
        ("queue", "current-level-buffers", 1, "not writable"),
    ],
)
def test_what_a_property_does_not_take_is_a_type_error(kind: str, name: str, value: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Gst.ElementFactory.make(kind).set_property(name, value)


def test_a_property_is_set_of_its_text() -> None:
    source = Gst.ElementFactory.make("videotestsrc")
    Gst.util_set_object_arg(source, "pattern", "ball")
    Gst.util_set_object_arg(source, "num-buffers", "7")
    assert (source.props.pattern.value_nick, source.props.num_buffers) == ("ball", 7)


# Playing


def test_states_go_up_and_down_and_the_bus_says_so(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(f"videotestsrc num-buffers=5 ! {SMALL} ! fakesink")
    opened.append(pipeline)
    assert pipeline.get_state(0)[1] == Gst.State.NULL
    assert pipeline.set_state(Gst.State.READY) == Gst.StateChangeReturn.SUCCESS
    assert pipeline.set_state(Gst.State.PAUSED) == Gst.StateChangeReturn.ASYNC
    assert pipeline.get_state(Gst.CLOCK_TIME_NONE) == (
        Gst.StateChangeReturn.SUCCESS,
        Gst.State.PAUSED,
        Gst.State.VOID_PENDING,
    )
    assert play(pipeline, opened).type == Gst.MessageType.EOS
    assert pipeline.set_state(Gst.State.NULL) == Gst.StateChangeReturn.SUCCESS
    assert pipeline.get_bus().pop() is None


def test_an_error_names_its_element_domain_and_code(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch("filesrc name=f location=/none/of/it.mp4 ! fakesink")
    message = play(pipeline, opened)
    error, debug = message.parse_error()
    assert message.src.get_name() == "f"
    assert error.matches(Gst.ResourceError.quark(), Gst.ResourceError.NOT_FOUND)
    assert isinstance(debug, str)
    assert pipeline.get_state(0)[0] == Gst.StateChangeReturn.FAILURE


def test_a_place_that_cannot_be_written_has_a_code_of_its_own(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(f"videotestsrc num-buffers=2 ! {SMALL} ! filesink name=f location=/none/x")
    error, _ = play(pipeline, opened).parse_error()
    assert error.matches(Gst.ResourceError.quark(), Gst.ResourceError.OPEN_WRITE)


def test_eos_is_sent_by_hand(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(f"videotestsrc is-live=true ! {SMALL} ! fakesink")
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_state(Gst.CLOCK_TIME_NONE)
    assert pipeline.send_event(Gst.Event.new_eos())
    assert pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND, ENDS).type == Gst.MessageType.EOS


def test_a_file_plays_again_after_a_seek_back(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(f"filesrc location={make.media('film.mp4')} ! decodebin ! fakesink")
    assert play(pipeline, opened).type == Gst.MessageType.EOS
    assert pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, 0)
    assert pipeline.get_bus().timed_pop_filtered(20 * Gst.SECOND, ENDS).type == Gst.MessageType.EOS


def test_after_a_seek_in_paused_the_position_is_the_new_one(opened: list[Any]) -> None:
    film = make.media("film.mp4")
    pipeline = Gst.parse_launch(f"filesrc location={film} ! decodebin ! videoconvert ! fakesink sync=true")
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PAUSED)
    assert pipeline.get_state(20 * Gst.SECOND)[0] == Gst.StateChangeReturn.SUCCESS
    flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE
    for place_s in (1.0, 1.8, 0.4, 0.0, 1.2):
        place = round(place_s * Gst.SECOND)
        assert pipeline.seek_simple(Gst.Format.TIME, flags, place)
        assert pipeline.get_state(20 * Gst.SECOND)[:2] == (Gst.StateChangeReturn.SUCCESS, Gst.State.PAUSED)
        assert abs(pipeline.query_position(Gst.Format.TIME)[1] - place) <= Gst.SECOND // 20


def test_playbin_plays_by_itself(opened: list[Any]) -> None:
    player = Gst.ElementFactory.make("playbin", "player")
    player.set_property("uri", make.media("film.mp4").as_uri())
    video = Gst.ElementFactory.make("fakesink", "mine")
    player.set_property("video-sink", video)
    player.set_property("audio-sink", Gst.ElementFactory.make("fakesink"))
    assert player.get_property("video-sink") is video
    message = play(player, opened)
    assert (message.type, message.src) == (Gst.MessageType.EOS, player)
    assert player.query_duration(Gst.Format.TIME)[0]


# The bus


def test_a_sync_handler_sees_messages_where_they_are_posted(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(f"videotestsrc num-buffers=2 ! {SMALL} ! fakesink")
    seen: list[Any] = []
    dropped = Gst.MessageType.STATE_CHANGED

    def handler(bus: Any, message: Any, word: str) -> Any:
        seen.append((message.type, word))
        return Gst.BusSyncReply.DROP if message.type == dropped else Gst.BusSyncReply.PASS

    pipeline.get_bus().set_sync_handler(handler, "w")
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    taken = []
    while not taken or taken[-1].type != Gst.MessageType.EOS:
        taken.append(pipeline.get_bus().timed_pop(10 * Gst.SECOND))
    assert (dropped, "w") in seen
    assert dropped not in [message.type for message in taken]


def test_a_watch_is_called_in_the_loop_until_it_says_no() -> None:
    bus, loop, seen = Gst.Bus.new(), GLib.MainLoop(), []
    structures = [Gst.Structure.new_empty(name) for name in ("one", "two", "three")]

    def watch(bus: Any, message: Any, word: str) -> bool:
        seen.append((message.get_structure().get_name(), word, threading.current_thread()))
        if len(seen) == 2:
            loop.quit()
        return len(seen) < 2

    bus.add_watch(GLib.PRIORITY_DEFAULT, watch, "w")
    with pytest.raises(RuntimeError, match="has a watch already"):
        bus.add_watch(GLib.PRIORITY_DEFAULT, watch)
    poster = threading.Thread(
        target=lambda: [bus.post(Gst.Message.new_application(None, each)) for each in structures]
    )
    GLib.idle_add(poster.start)
    loop.run()
    poster.join()
    here = threading.current_thread()
    assert seen == [("one", "w", here), ("two", "w", here)]
    assert bus.pop().get_structure().get_name() == "three"


def test_popping_waits_no_longer_than_asked() -> None:
    bus = Gst.Bus.new()
    assert bus.timed_pop(1) is None
    threading.Timer(0.05, lambda: bus.post(Gst.Message.new_eos(None))).start()
    assert bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS).type == Gst.MessageType.EOS


def test_messages_nobody_takes_are_bounded_and_counted() -> None:
    bus = Gst.Bus.new()
    for number in range(10_003):
        bus.post(Gst.Message.new_application(None, Gst.Structure("n", number=number)))
    assert bus.dropped == 3
    assert bus.pop().get_structure().get_value("number") == 3


# Probes


def test_a_probe_changes_what_passes(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers=3 pattern=black ! {SMALL} ! appsink name=s sync=false"
    )

    def paint(pad: Any, info: Any) -> Any:
        with info.get_buffer().map(Gst.MapFlags.READ | Gst.MapFlags.WRITE) as mapped:
            mapped.data[5] = 77
        return Gst.PadProbeReturn.OK

    sink = pipeline.get_by_name("s")
    sink.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, paint)
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    samples = [sink.pull_sample() for _ in range(3)]
    assert [sample.get_buffer().extract_dup(5, 1) for sample in samples] == [bytes((77,))] * 3
    assert sink.pull_sample() is None


def test_a_probe_that_raises_is_shown_and_media_go_on(
    opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:

    shown: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _frames: shown.append(error))
    pipeline = Gst.parse_launch(f"videotestsrc num-buffers=3 ! {SMALL} ! fakesink name=s")
    pipeline.get_by_name("s").get_static_pad("sink").add_probe(
        Gst.PadProbeType.BUFFER, lambda pad, info: 1 / 0
    )
    assert play(pipeline, opened).type == Gst.MessageType.EOS
    assert len(shown) == 3


def test_several_probes_see_the_same_events(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(f"videotestsrc num-buffers=3 ! {SMALL} ! identity name=i ! fakesink")
    pad = pipeline.get_by_name("i").get_static_pad("src")
    seen: dict[int, list[str]] = {0: [], 1: [], 2: []}

    def look(pad: Any, info: Any, number: int) -> Any:
        seen[number].append(Gst.EventType.get_name(info.get_event().type))
        return Gst.PadProbeReturn.REMOVE if number == 2 else Gst.PadProbeReturn.OK

    for number in seen:
        pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, look, number)
    assert play(pipeline, opened).type == Gst.MessageType.EOS
    assert seen[0] == seen[1] == ["stream-start", "caps", "segment", "eos"]
    assert seen[2] == ["stream-start"]


def test_a_blocking_probe_holds_until_it_is_removed(opened: list[Any]) -> None:
    text = f"videotestsrc num-buffers=20 ! {SMALL} ! identity name=i ! appsink name=s sync=false"
    pipeline = Gst.parse_launch(text)
    held = threading.Event()
    pad, sink = pipeline.get_by_name("i").get_static_pad("src"), pipeline.get_by_name("s")

    def block(pad: Any, info: Any) -> Any:
        assert info.type & Gst.PadProbeType.BLOCK
        held.set()
        return Gst.PadProbeReturn.OK

    number = pad.add_probe(Gst.PadProbeType.BLOCK_DOWNSTREAM, block)
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    assert held.wait(10)
    before = 0
    while sink.try_pull_sample(100 * Gst.MSECOND) is not None:
        before += 1
    assert not sink.is_eos()
    pad.remove_probe(number)
    after = 0
    while sink.pull_sample() is not None:
        after += 1
    assert after > 0
    assert before + after == 20


def test_a_branch_is_taken_out_element_by_element(opened: list[Any], tmp_path: Path) -> None:
    pipeline = Gst.parse_launch(f"videotestsrc is-live=true ! {SMALL} ! tee name=t t. ! queue ! fakesink")
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_state(Gst.CLOCK_TIME_NONE)
    tee = pipeline.get_by_name("t")
    for number in range(2):
        file = tmp_path / f"{number}.mkv"
        kinds = ("queue", "videoconvert", "x264enc", "matroskamux", "filesink")
        elements = [Gst.ElementFactory.make(kind) for kind in kinds]  # queue0 is taken: it gets another name
        elements[2].set_property("tune", "zerolatency")
        elements[4].set_property("location", str(file))
        pipeline.add(*elements)
        Gst.Element.link_many(*elements)
        come, apart = threading.Event(), threading.Event()
        sink = elements[0].get_static_pad("sink")
        sink.add_probe(Gst.PadProbeType.BUFFER, lambda pad, info, event: event.set() or 1, come)
        pad = tee.request_pad_simple("src_%u")
        assert pad.link(sink) == Gst.PadLinkReturn.OK
        assert come.wait(10)

        def blocked(pad: Any, info: Any, sink: Any = sink) -> Any:
            assert pad.unlink(sink)
            assert sink.send_event(Gst.Event.new_eos())
            return Gst.PadProbeReturn.REMOVE

        def ended(pad: Any, info: Any, apart: Any = apart) -> Any:
            if info.get_event().type == Gst.EventType.EOS:
                apart.set()
            return Gst.PadProbeReturn.OK

        elements[4].get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, ended)
        pad.add_probe(Gst.PadProbeType.BLOCK_DOWNSTREAM, blocked)
        assert apart.wait(10)
        begun = time.monotonic()
        for element in elements:
            element.set_state(Gst.State.NULL)
            assert pipeline.remove(element)
        tee.release_request_pad(pad)
        assert time.monotonic() - begun < 5
        assert len(probe.packets(file)[0].packets) >= 1
    assert len(pipeline.children) == 5
    assert pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR) is None


def test_a_probe_that_cannot_be_is_refused() -> None:
    pad = Gst.ElementFactory.make("fakesink").get_static_pad("sink")
    with pytest.raises(rw.UnsupportedError, match="probe of .*QUERY_UPSTREAM"):
        pad.add_probe(Gst.PadProbeType.QUERY_UPSTREAM, print)


# appsink and appsrc


def caps_of_appsrc(source: Any, text: str) -> None:
    source.set_property("caps", Gst.Caps.from_string(text))
    source.set_property("format", Gst.Format.TIME)


def test_pushed_buffers_come_out_with_their_times(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch("appsrc name=a ! appsink name=s sync=false")
    source, sink = pipeline.get_by_name("a"), pipeline.get_by_name("s")
    assert isinstance(source, GstApp.AppSrc)
    caps_of_appsrc(source, "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved")
    assert source.push_buffer(Gst.Buffer.new_wrapped(bytes(160))) == Gst.FlowReturn.FLUSHING
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    for number in range(3):
        buffer = Gst.Buffer.new_wrapped(bytes((number,)) * 160)
        buffer.pts, buffer.duration = number * 10 * Gst.MSECOND, 10 * Gst.MSECOND
        assert source.push_buffer(buffer) == Gst.FlowReturn.OK
    assert source.end_of_stream() == Gst.FlowReturn.OK
    assert source.push_buffer(Gst.Buffer.new_wrapped(bytes(160))) == Gst.FlowReturn.EOS
    got = [sink.try_pull_sample(5 * Gst.SECOND) for _ in range(4)]
    assert got[3] is None
    assert sink.is_eos()
    assert [sample.get_buffer().pts for sample in got[:3]] == [0, 10_000_000, 20_000_000]
    assert [sample.get_buffer().extract_dup(0, 2) for sample in got[:3]] == [b"\0\0", b"\1\1", b"\2\2"]
    assert got[0].get_caps().get_structure(0).get_int("rate") == (True, 8000)


def test_coded_pictures_go_out_and_in_again(opened: list[Any]) -> None:
    coded = Gst.parse_launch(
        "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48 ! x264enc key-int-max=5 "
        "! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=s sync=false"
    )
    opened.append(coded)
    coded.set_state(Gst.State.PLAYING)
    buffers = []
    while sample := coded.get_by_name("s").pull_sample():
        assert sample.get_caps().get_structure(0).get_string("stream-format") == "byte-stream"
        buffers.append(sample.get_buffer())
    keys = [not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT) for buffer in buffers]
    assert (len(buffers), sum(keys)) == (10, 2)
    for buffer in [buffer for buffer, key in zip(buffers, keys, strict=True) if key]:
        data = buffer.extract_dup(0, buffer.get_size())
        kinds = {data[at + 3] & 31 for at in range(len(data) - 3) if data[at : at + 3] == b"\0\0\1"}
        assert {5, 7, 8} <= kinds  # a picture, and both parameter sets

    decoded = Gst.parse_launch(
        "appsrc name=a format=time caps=video/x-h264,stream-format=byte-stream,alignment=au "
        "! h264parse ! avdec_h264 ! appsink name=s sync=false"
    )
    opened.append(decoded)
    decoded.set_state(Gst.State.PLAYING)
    for buffer in buffers:
        copied = Gst.Buffer.new_wrapped(buffer.extract_dup(0, buffer.get_size()))
        copied.pts, copied.dts, copied.duration = buffer.pts, buffer.dts, buffer.duration
        assert decoded.get_by_name("a").push_buffer(copied) == Gst.FlowReturn.OK
    decoded.get_by_name("a").end_of_stream()
    times = []
    while sample := decoded.get_by_name("s").pull_sample():
        assert sample.get_caps().get_structure(0).get_name() == "video/x-raw"
        times.append(sample.get_buffer().pts)
    assert times == sorted(buffer.pts for buffer in buffers)


def test_bytes_that_are_no_picture_are_refused(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(f"appsrc name=a caps={SMALL} ! fakesink")
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    with pytest.raises(rw.PacketError, match="3 bytes are no picture of 16x8"):
        pipeline.get_by_name("a").push_buffer(Gst.Buffer.new_wrapped(b"abc"))
    with pytest.raises(TypeError, match="Expected Gst.Buffer, but got bytes"):
        pipeline.get_by_name("a").push_buffer(b"abc")


def test_enough_data_is_told_and_nothing_is_lost(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(
        f"appsrc name=a caps={SMALL} format=time max-bytes=512 ! appsink name=s sync=false max-buffers=1"
    )
    source, sink = pipeline.get_by_name("a"), pipeline.get_by_name("s")
    told: list[str] = []
    source.connect("enough-data", lambda element: told.append("enough"))
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PAUSED)
    for _ in range(40):
        assert source.push_buffer(Gst.Buffer.new_wrapped(bytes(128))) == Gst.FlowReturn.OK
    assert 1 <= len(told) < 40  # again only when all that waited was taken
    source.end_of_stream()
    pipeline.set_state(Gst.State.PLAYING)
    count = 0
    while sink.pull_sample() is not None:
        count += 1
    assert count == 40


def test_appsink_takes_what_its_caps_say(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch("videotestsrc num-buffers=2 pattern=white ! appsink name=s sync=false")
    sink = pipeline.get_by_name("s")
    sink.set_property("caps", Gst.Caps.from_string("video/x-raw,format=RGB,width=8,height=4"))
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    sample = sink.pull_sample()
    structure = sample.get_caps().get_structure(0)
    assert (structure.get_string("format"), structure.get_int("width"), structure.get_int("height")) == (
        "RGB", (True, 8), (True, 4),
    )  # fmt: skip
    assert min(sample.get_buffer().extract_dup(0, 24)) > 250


# Elements in Python


GRAY = Gst.Caps.from_string("video/x-raw,format=GRAY8")


def template(name: str, direction: Any, caps: Any = GRAY) -> Any:
    return Gst.PadTemplate.new(name, direction, Gst.PadPresence.ALWAYS, caps)


class Half(GstBase.BaseTransform):
    """Half as wide: other caps come out than go in."""

    __gstmetadata__ = ("Half", "Filter", "Half as wide", "tests")
    __gsttemplates__ = (template("sink", Gst.PadDirection.SINK), template("src", Gst.PadDirection.SRC))

    def do_transform_caps(self, direction: Any, caps: Any, filter: Any) -> Any:
        made = caps.copy()
        width = made.get_structure(0).get_int("width")[1]
        made.set_value("width", width // 2 if direction == Gst.PadDirection.SINK else width * 2)
        return made

    def do_transform(self, inbuf: Any, outbuf: Any) -> Any:
        pixels = inbuf.extract_dup(0, inbuf.get_size())
        outbuf.fill(0, pixels[::2])
        return Gst.FlowReturn.OK


class Count(GstBase.BaseTransform):
    """Without templates of its own: anything passes."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def do_transform_ip(self, buffer: Any) -> Any:
        self.count += 1
        return Gst.FlowReturn.OK


class Broken(GstBase.BaseTransform):
    __gstmetadata__ = ("Broken", "Filter", "Raises", "tests")
    __gsttemplates__ = (template("sink", Gst.PadDirection.SINK), template("src", Gst.PadDirection.SRC))
    how = GObject.Property(type=str, default="raise")

    def do_transform_ip(self, buffer: Any) -> Any:
        if self.how == "raise":
            raise ArithmeticError("out of luck")
        return Gst.FlowReturn.ERROR


class Asked(GstBase.BaseSrc):
    """Makes what the caps filter behind it asks for."""

    __gstmetadata__ = ("Asked", "Source", "What is asked for", "tests")
    __gsttemplates__ = template(
        "src",
        Gst.PadDirection.SRC,
        Gst.Caps("video/x-raw,format=GRAY8,width=[1,100],height=[1,100],framerate=[1/1,60/1]"),
    )

    def do_fixate(self, caps: Any) -> Any:
        structure = caps.get_structure(0).copy()
        structure.fixate_field_nearest_int("height", 6)
        structure.fixate_field_nearest_fraction("framerate", 10, 1)
        return Gst.Caps(structure)

    def do_fill(self, offset: int, length: int, buffer: Any) -> Any:
        buffer.memset(0, 9, length)
        return Gst.FlowReturn.OK


for _name, _kind in (("testcount", Count), ("testhalf", Half), ("testbroken", Broken), ("testasked", Asked)):
    Gst.Element.register(None, _name, Gst.Rank.NONE, _kind)


def test_a_transform_may_change_the_caps(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers=2 ! {SMALL} ! testhalf ! appsink name=s sync=false"
    )
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    sample = pipeline.get_by_name("s").pull_sample()
    assert sample.get_caps().get_structure(0).get_int("width") == (True, 8)
    assert sample.get_buffer().get_size() == 8 * 8


def test_a_transform_takes_bytes_of_which_nothing_is_known(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch("fakesrc num-buffers=4 ! testcount name=c ! fakesink")
    assert play(pipeline, opened).type == Gst.MessageType.EOS
    assert pipeline.get_by_name("c").count == 4


def test_a_source_makes_what_is_asked_for(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch("testasked num-buffers=3 ! video/x-raw,width=12 ! appsink name=s sync=false")
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    sink = pipeline.get_by_name("s")
    samples = [sink.pull_sample() for _ in range(4)]
    assert samples[3] is None
    structure = samples[0].get_caps().get_structure(0)
    assert (structure.get_int("width")[1], structure.get_int("height")[1]) == (12, 6)
    assert samples[0].get_buffer().extract_dup(0, 100) == bytes((9,)) * 72
    assert [sample.get_buffer().pts for sample in samples[:3]] == [0, 100 * Gst.MSECOND, 200 * Gst.MSECOND]


@pytest.mark.parametrize(("how", "says"), [("raise", "out of luck"), ("say", "GST_FLOW_ERROR")])
def test_a_failing_element_is_an_error_on_the_bus(how: str, says: str, opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers=2 ! {SMALL} ! testbroken name=b how={how} ! fakesink"
    )
    message = play(pipeline, opened)
    assert message.type == Gst.MessageType.ERROR
    assert message.src.get_name() == "b"
    assert says in message.parse_error()[0].message


def test_a_class_may_be_used_without_registering(opened: list[Any]) -> None:
    pipeline = Gst.Pipeline.new()
    source, half, sink = Gst.ElementFactory.make("videotestsrc"), Half(), Gst.ElementFactory.make("fakesink")
    source.set_property("num-buffers", 2)
    pipeline.add(source, half, sink)
    Gst.Element.link_many(source, half, sink)
    assert play(pipeline, opened).type == Gst.MessageType.EOS


def test_other_classes_cannot_be_elements() -> None:
    with pytest.raises(rw.UnsupportedError, match="an element of the class Plain") as caught:
        Gst.Element.register(None, "plain", 0, type("Plain", (Gst.Element,), {}))
    assert "GstBase.BaseTransform" in str(caught.value.hint)


def test_elements_of_modules_are_found_by_their_factory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "python"
    folder.mkdir()
    (folder / "quiet.py").write_text(
        "from reelway.compat.gst import gstreamer as Gst, base as GstBase\n"
        "class Quiet(GstBase.BaseSink):\n    __gstmetadata__ = ('q', 'Sink', 'q', 'q')\n"
        "__gstelementfactory__ = ('testquiet', Gst.Rank.NONE, Quiet)\n"
    )
    monkeypatch.setenv("GST_PLUGIN_PATH", str(tmp_path))
    assert type(Gst.ElementFactory.make("testquiet", "q")).__name__ == "Quiet"
    assert (
        Gst.parse_launch("fakesrc ! testquiet name=z").get_by_name("z").get_factory().get_name()
        == "testquiet"
    )


# Drawings


def test_a_drawing_shows_elements_states_and_caps(opened: list[Any]) -> None:
    pipeline = Gst.parse_launch(
        f'videotestsrc name=a ! {SMALL} ! ( name=b identity name="i" ) ! fakesink name=s'
    )
    opened.append(pipeline)
    pipeline.set_state(Gst.State.PAUSED)
    pipeline.get_state(Gst.CLOCK_TIME_NONE)
    drawn = Gst.debug_bin_to_dot_data(pipeline, Gst.DebugGraphDetails.ALL)
    assert drawn.count("->") == 3
    assert "subgraph cluster_" in drawn
    assert "[PAUSED]" in drawn
    assert "width: 16" in drawn
    assert "caps=video/x-raw" in drawn
    plain = Gst.debug_bin_to_dot_data(pipeline, Gst.DebugGraphDetails.MEDIA_TYPE)
    assert "PAUSED" not in plain
    assert "width: 16" not in plain
    assert "video/x-raw" in plain


def test_a_graph_shows_no_secrets() -> None:
    pipeline = Gst.parse_launch(
        'rtspsrc location=rtsp://bob:q7xHUNTER2@host/x user-id=bob user-pw="q7xHUN q7xTER2" ! fakesink'
    )
    drawn = Gst.debug_bin_to_dot_data(pipeline, Gst.DebugGraphDetails.ALL)
    assert "location=rtsp://bob:***@host/x" in drawn
    assert "user-pw=***" in drawn
    assert "TER2" not in drawn
