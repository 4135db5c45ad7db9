"""Caps, structures, buffers, segments, tags and layouts with GStreamer's names and values."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy
import pytest

import reelway as rw
from reelway.compat.gst import audio as GstAudio
from reelway.compat.gst import gstreamer as Gst
from reelway.compat.gst import video as GstVideo
from reelway.compat.gst.buffers import buffer_of, packet_of
from reelway.compat.gst.layouts import frame_of, gst_layout, laid_out
from reelway.media.frame import MemoryFrame

SECOND = 1_000_000_000


# Enumerations


def test_enumerations_look_and_count_as_gis() -> None:
    assert repr(Gst.State.PLAYING) == "<enum GST_STATE_PLAYING of type Gst.State>"
    assert (int(Gst.State.PLAYING), Gst.State.PLAYING.value_nick) == (4, "playing")
    assert Gst.State(3) is Gst.State.PAUSED
    assert Gst.State.NULL < Gst.State.READY
    with pytest.raises(ValueError, match="invalid enum value: 9"):
        Gst.State(9)
    with pytest.raises(AttributeError, match="did you mean 'PLAYING'"):
        Gst.State.PLAYIN  # noqa: B018


def test_flags_are_sets() -> None:
    both = Gst.MessageType.EOS | Gst.MessageType.ERROR
    assert repr(both) == "<flags GST_MESSAGE_EOS | GST_MESSAGE_ERROR of type Gst.MessageType>"
    assert Gst.MessageType.EOS & both
    assert Gst.MessageType.EOS.first_value_nick == "eos"
    assert Gst.MessageType.get_name(Gst.MessageType.STATE_CHANGED) == "state-changed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECOND", 10**9),
        ("MSECOND", 10**6),
        ("CLOCK_TIME_NONE", 2**64 - 1),
        ("SeekFlags.ACCURATE", 2),
        ("SeekFlags.KEY_UNIT", 4),
        ("FlowReturn.EOS", -3),
        ("FlowReturn.NOT_NEGOTIATED", -4),
        ("PadLinkReturn.WAS_LINKED", -2),
        ("PadProbeType.BLOCK_DOWNSTREAM", 114),
        ("EventType.EOS", 28174),
        ("QueryType.DURATION", 5123),
        ("MessageType.ANY", 2**32 - 1),
        ("DebugGraphDetails.ALL", 15),
        ("BufferFlags.DELTA_UNIT", 8192),
        ("StateChangeReturn.ASYNC", 2),
    ],
)
def test_numbers_are_gstreamers(name: str, value: int) -> None:
    found: Any = Gst
    for part in name.split("."):
        found = getattr(found, part)
    assert int(found) == value


# Caps


def test_caps_say_what_gstreamer_says() -> None:
    caps = Gst.Caps.from_string("video/x-raw,format={I420,NV12},width=[1,100],framerate=30/1; audio/x-raw")
    assert caps.to_string() == (
        "video/x-raw, format=(string){ I420, NV12 }, width=(int)[ 1, 100 ], framerate=(fraction)30/1;"
        " audio/x-raw"
    )
    assert (caps.get_size(), caps.is_fixed(), caps.is_any(), caps.is_empty()) == (2, False, False, False)
    structure = caps.get_structure(0)
    assert structure.get_name() == "video/x-raw"
    assert list(structure.get_value("format")) == ["I420", "NV12"]
    assert str(structure.get_value("width")) == "[1,100]"
    assert structure.get_value("framerate") == Gst.Fraction(30, 1) == Fraction(30)
    assert structure.get_fraction("framerate") == (True, 30, 1)
    assert structure.get_int("height") == (False, 0)
    assert not structure.get_int("height")[0]
    assert structure.get_string("nothing") is None
    assert structure.n_fields() == 3
    assert structure.has_field("width")


def test_results_have_names() -> None:
    said = Gst.Structure("x", width=640).get_int("width")
    assert repr(said) == "(True, value=640)"
    assert said.value == 640
    there, value = said
    assert (there, value) == (True, 640)


def test_caps_are_built_and_compared() -> None:
    caps = Gst.Caps.new_empty_simple("video/x-raw")
    caps.set_value("width", 640)
    caps.set_value("framerate", Gst.Fraction(25, 1))
    assert caps.is_fixed()
    assert caps.is_equal(Gst.Caps("video/x-raw,framerate=25/1,width=640"))
    assert caps.can_intersect(Gst.Caps("video/x-raw,width=[1,1000]"))
    assert not caps.can_intersect(Gst.Caps("video/x-raw,width=[1,100]"))
    assert caps.is_subset(Gst.Caps.new_any())
    assert caps.intersect(Gst.Caps("video/x-raw,height=480")).to_string() == (
        "video/x-raw, width=(int)640, framerate=(fraction)25/1, height=(int)480"
    )
    assert Gst.Caps("video/x-raw,width=[10,20]").fixate().to_string() == "video/x-raw, width=(int)10"
    assert not Gst.Caps.new_empty()
    assert Gst.caps_from_string("image/jpeg").get_structure(0).get_name() == "image/jpeg"


def test_what_is_no_caps_is_said_with_its_place() -> None:
    with pytest.raises(rw.PipelineError, match="column 13"):
        Gst.Caps.from_string("video/x-raw width=3")


def test_structures_hold_what_is_set() -> None:
    structure = Gst.Structure.new_empty("hello")
    structure.set_value("number", 42)
    structure["text"] = "two words"
    structure.set_value("real", 1.5)
    structure.set_value("yes", True)
    assert (
        structure.to_string()
        == 'hello, number=(int)42, text=(string)"two words", real=(double)1.5, yes=(boolean)true;'
    )
    assert structure.get_boolean("yes") == (True, True)
    assert structure.get_double("real") == (True, 1.5)
    read = Gst.Structure.new_from_string(structure.to_string())
    assert read.is_equal(structure)
    assert read.keys() == {"number", "text", "real", "yes"}
    structure.remove_field("real")
    assert [structure.nth_field_name(n) for n in range(structure.n_fields())] == ["number", "text", "yes"]


def test_a_field_is_fixed_to_the_nearest() -> None:
    structure = Gst.Structure("video/x-raw,width=[16,4096],rate={8000,44100},framerate=[0/1,60/1]")
    assert structure.fixate_field_nearest_int("width", 5000)
    assert structure.fixate_field_nearest_int("rate", 48000)
    assert structure.fixate_field_nearest_fraction("framerate", 25, 1)
    assert (structure["width"], structure["rate"], structure["framerate"]) == (
        4096,
        44100,
        Gst.Fraction(25, 1),
    )
    assert not structure.fixate_field_nearest_int("width", 1)


# Buffers


def test_buffers_are_filled_mapped_and_copied() -> None:
    buffer = Gst.Buffer.new_allocate(None, 6, None)
    assert buffer.fill(2, b"abcdefgh") == 4
    assert buffer.extract_dup(0, 6) == b"\0\0abcd"
    with buffer.map(Gst.MapFlags.WRITE) as info:
        info.data[0:2] = b"xy"
    there, info = buffer.map(Gst.MapFlags.READ)
    assert (there, bytes(info.data), info.size) == (True, b"xyabcd", 6)
    with pytest.raises(TypeError, match="read-only"):
        info.data[0] = 1
    buffer.unmap(info)
    other = buffer.copy_deep()
    other.memset(0, 0, 6)
    assert buffer.extract_dup(0, 2) == b"xy"
    assert buffer.copy_region(Gst.BufferCopyFlags.MEMORY, 2, 3).extract_dup(0, 9) == b"abc"


def test_an_array_on_mapped_memory_outlives_the_mapping() -> None:
    buffer = Gst.Buffer.new_wrapped(bytes(range(8)))
    _, info = buffer.map(Gst.MapFlags.READ)
    array = numpy.ndarray((8,), numpy.uint8, buffer=info.data)
    buffer.unmap(info)
    assert array.tolist() == list(range(8))


def test_times_and_flags_of_a_new_buffer() -> None:
    buffer = Gst.Buffer.new()
    assert {buffer.pts, buffer.dts, buffer.duration, buffer.offset} == {Gst.CLOCK_TIME_NONE}
    buffer.set_flags(Gst.BufferFlags.DISCONT)
    assert buffer.has_flags(Gst.BufferFlags.DISCONT)
    buffer.unset_flags(Gst.BufferFlags.DISCONT)
    assert buffer.get_flags() == 0


PICTURE = {
    "StreamType": "Visual",
    "CodecID": "raw",
    "PixelFormat": "rgb24",
    "Width": 5,
    "Height": 3,
    "Timescale": 90000,
}


def picture() -> rw.Packet:
    frame = MemoryFrame.picture("rgb24", 5, 3)
    frame.planes(writable=True)[0][:] = numpy.arange(45, dtype=numpy.uint8).reshape(3, 5, 3)
    return rw.Packet(frame, 3000, 3000, 3000, sap=1)


def test_a_picture_is_laid_out_as_gstreamer_has_it() -> None:
    buffer = buffer_of(picture(), PICTURE)
    assert buffer.get_size() == 3 * 16  # lines of 15 bytes take 16
    assert buffer.extract_dup(16, 3) == bytes((15, 16, 17))
    assert (buffer.pts, buffer.dts, buffer.duration) == (33_333_333, Gst.CLOCK_TIME_NONE, 33_333_333)
    assert not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)


def test_an_untouched_buffer_is_its_packet() -> None:
    packet = picture()
    buffer = buffer_of(packet, PICTURE)
    assert not buffer.touched()
    assert packet_of(buffer, PICTURE) is packet


def test_what_is_written_gets_into_the_packet_and_nowhere_else() -> None:
    packet = picture()
    buffer = buffer_of(packet.clone(), PICTURE)
    with buffer.map(Gst.MapFlags.READ | Gst.MapFlags.WRITE) as info:
        info.data[16] = 200
    buffer.pts = SECOND
    assert buffer.touched()
    changed = packet_of(buffer, PICTURE)
    assert changed.planes()[0][1, 0, 0] == 200
    assert (changed.cts, changed.dts, changed.duration) == (90000, 90000, 3000)
    assert packet.planes()[0][1, 0, 0] == 15


@pytest.mark.parametrize(
    ("format", "width", "height", "size", "strides"),
    [  # as GstVideoInfo of GStreamer 1.22 says
        ("yuv420p", 321, 241, 118096, [324, 164, 164]),
        ("nv12", 321, 241, 117612, [324, 324]),
        ("yuv422p", 321, 241, 157132, [324, 164, 164]),
        ("rgb24", 321, 241, 232324, [964]),
        ("gray", 5, 3, 24, [8]),
        ("yuv420p10le", 321, 241, 234256, [644, 324, 324]),
        ("yuv422p10le", 322, 243, 315248, [644, 324, 324]),
        ("yuva420p", 322, 243, 198128, [324, 164, 164, 324]),
        ("rgba", 3, 3, 36, [12]),
    ],
)
def test_layouts_are_gstreamers(format: str, width: int, height: int, size: int, strides: list[int]) -> None:
    layout = gst_layout(format, width, height)
    assert (layout.size, [plane.stride for plane in layout.planes]) == (size, strides)


@pytest.mark.parametrize("format", ["yuv420p", "nv12", "rgb24", "yuv444p", "gray16le", "p010le"])
def test_pictures_survive_the_way_there_and_back(format: str) -> None:
    random = numpy.random.default_rng(1)
    frame = MemoryFrame.picture(format, 7, 5)
    for plane in frame.planes(writable=True):
        plane[...] = random.integers(0, 200, plane.shape)
    properties = {**PICTURE, "PixelFormat": format, "Width": 7, "Height": 5}
    back = frame_of(laid_out(frame, properties), properties)
    assert all((one == other).all() for one, other in zip(frame.planes(), back.planes(), strict=True))


def test_tight_lines_are_understood_and_too_few_bytes_are_not() -> None:
    assert frame_of(bytes(45), PICTURE).planes()[0].shape == (3, 5, 3)
    with pytest.raises(rw.PacketError, match="44 bytes are no picture of 5x3 rgb24, which takes 48"):
        frame_of(bytes(44), PICTURE)


# Segments, tags, infos


def test_a_segment_maps_times() -> None:
    segment = Gst.Segment.new()
    segment.init(Gst.Format.TIME)
    segment.start, segment.base, segment.rate = SECOND, 5 * SECOND, 2.0
    assert segment.to_running_time(Gst.Format.TIME, 3 * SECOND) == 6 * SECOND
    assert segment.position_from_running_time(Gst.Format.TIME, 6 * SECOND) == 3 * SECOND
    assert segment.to_running_time(Gst.Format.TIME, 0) == Gst.CLOCK_TIME_NONE
    assert segment.clip(Gst.Format.TIME, 0, 2 * SECOND) == (True, SECOND, 2 * SECOND)


def test_tags_are_read_by_type() -> None:
    tags = Gst.TagList.new_empty()
    tags.add_value(Gst.TagMergeMode.APPEND, Gst.TAG_TITLE, "One")
    tags.add_value(Gst.TagMergeMode.APPEND, Gst.TAG_TITLE, "Two")
    tags.add_value(Gst.TagMergeMode.REPLACE, Gst.TAG_BITRATE, 128)
    assert tags.get_string("title") == (True, "One")
    assert tags.get_string_index("title", 1) == (True, "Two")
    assert tags.get_uint("bitrate") == (True, 128)
    assert tags.get_string("bitrate") == (False, None)
    seen: list[str] = []
    tags.foreach(lambda _list, name, data: seen.append(name + data), "!")
    assert seen == ["title!", "bitrate!"]


def test_video_info_is_read_of_caps() -> None:
    info = GstVideo.VideoInfo.new_from_caps(
        Gst.Caps("video/x-raw,format=I420,width=321,height=241,framerate=25/1")
    )
    assert (info.width, info.height, info.fps_n, info.fps_d, info.size) == (321, 241, 25, 1, 118096)
    assert (info.finfo.name, info.finfo.n_planes, info.finfo.n_components) == ("I420", 3, 3)
    assert info.offset[:3] == [0, 78408, 98252]
    assert GstVideo.VideoInfo.new_from_caps(Gst.Caps("audio/x-raw")) is None
    assert GstVideo.VideoFormat.from_string("RGBx") == GstVideo.VideoFormat.RGBX
    assert GstVideo.VideoFormat.to_string(GstVideo.VideoFormat.RGBX) == "RGBx"


def test_audio_info_is_read_of_caps() -> None:
    caps = Gst.Caps("audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved")
    info = GstAudio.AudioInfo.new_from_caps(caps)
    assert (info.rate, info.channels, info.bpf, info.finfo.width) == (48000, 2, 4, 16)
    assert info.to_caps().is_equal(caps)
