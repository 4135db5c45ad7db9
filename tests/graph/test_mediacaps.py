"""Caps as text and as values: reading, printing, what they have in common, and Reelway's properties."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.errors import PipelineError
from reelway.graph.caps import Caps, Mismatch, Not, match
from reelway.graph.mediacaps import Array, Choices, Mask, MediaCaps, Range, Structure
from reelway.graph.mediaformats import MEDIA, PIXEL_FORMATS, accepts, of_properties, to_bundles

parse = MediaCaps.parse

ANY, EMPTY = parse("ANY"), parse("EMPTY")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("640", 640),
        ("-1", -1),
        ("(int)640", 640),
        ("(i)640", 640),
        ("(int)0x10", 16),
        ("(int)max", 2**31 - 1),
        ("30/1", Fraction(30)),
        ("30000/1001", Fraction(30000, 1001)),
        ("(fraction)30/1", Fraction(30)),
        (r"\(fraction\)25", Fraction(25)),
        ("I420", "I420"),
        ("(string)640", "640"),
        ('"two words"', "two words"),
        (r'"a \"b\""', 'a "b"'),
        ("true", True),
        ("(boolean)0", False),
        ("0.5", 0.5),
        ("(double)1", 1.0),
        ("(bitmask)0x3", Mask(3)),
        ("byte-stream", "byte-stream"),
        ("0:0:0:1", "0:0:0:1"),
        ("{ I420, NV12 }", Choices(("I420", "NV12"))),
        ("(string){ I420, NV12 }", Choices(("I420", "NV12"))),
        ("{ (int)1, (int)2 }", Choices((1, 2))),
        ("{ I420 }", "I420"),
        ("[ 1, 640 ]", Range(1, 640)),
        ("(int)[ 2, 640, 2 ]", Range(2, 640, 2)),
        ("[ 1, max ]", Range(1, 2**31 - 1)),
        ("[ 1/1, 60/1 ]", Range(Fraction(1), Fraction(60))),
        ("(fraction)[ 0/1, max ]", Range(Fraction(0), Fraction(2**31 - 1))),
        ("{ [ 1, 4 ], 8 }", Choices((Range(1, 4), 8))),
        ("< 1, 2 >", Array((1, 2))),
        ("<>", Array(())),
    ],
)
def test_values_of_fields(text, value):
    caps = parse(f"video/x-raw, field = {text}, other=1")
    assert caps[0].fields["field"] == value
    assert type(caps[0].fields["field"]) is type(value)
    assert caps[0].fields["other"] == 1


@pytest.mark.parametrize(
    ("text", "short", "typed"),
    [
        (
            "video/x-raw , format=I420,width = (int)640",
            "video/x-raw,format=I420,width=640",
            "video/x-raw, format=(string)I420, width=(int)640",
        ),
        (
            "video/x-raw(memory:NVMM),framerate=30/1;image/jpeg;",
            "video/x-raw(memory:NVMM),framerate=30/1;image/jpeg",
            "video/x-raw(memory:NVMM), framerate=(fraction)30/1; image/jpeg",
        ),
        (
            "audio/x-raw,channel-mask=(bitmask)0x3,rate=[1,8],format={S8,U8}",
            "audio/x-raw,channel-mask=(bitmask)0x3,rate=[ 1, 8 ],format={ S8, U8 }",
            "audio/x-raw, channel-mask=(bitmask)0x3, rate=(int)[ 1, 8 ], format=(string){ S8, U8 }",
        ),
        (
            'x/y,a=(string)640,b="two words",c=true,d=(string)true',
            'x/y,a=(string)640,b="two words",c=true,d=(string)true',
            'x/y, a=(string)640, b=(string)"two words", c=(boolean)true, d=(string)true',
        ),
        ("ANY", "ANY", "ANY"),
        ("NONE", "EMPTY", "EMPTY"),
    ],
)
def test_printing(text, short, typed):
    caps = parse(text)
    assert (str(caps), caps.typed()) == (short, typed)
    assert parse(short) == caps
    assert parse(typed) == caps


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("videoraw", 1, "caps begin with a media type"),
        ("video/x-raw,width", 13, "the field 'width' of caps has no value"),
        ("video/x-raw,width=", 19, "a value of caps is missing"),
        ("video/x-raw,width=1,width=2", 21, "the field 'width' of caps is there twice"),
        ("video/x-raw,width=(int)wide", 24, "'wide' is no int"),
        ("video/x-raw,framerate=(fraction)1/0", 33, "'1/0' is no fraction"),
        ("video/x-raw,width=(number)1", 20, "no type of caps is named 'number'"),
        ("video/x-raw,width=[ 1 ]", 19, "a range of caps has a least and a greatest number: [ 1, 640 ]"),
        ("video/x-raw,width=[ a, b ]", 19, "a range of caps has a least and a greatest number: [ 1, 640 ]"),
        ("video/x-raw,format={ }", 20, "choices of caps need at least one value"),
        ('video/x-raw,format="I420', 20, "the quotes are never closed"),
        ("video/x-raw width=1", 13, "a comma is missing between the fields of caps"),
    ],
)
def test_wrong_caps_are_told_with_the_place(text, column, reason):
    with pytest.raises(PipelineError) as caught:
        parse(text)
    assert str(caught.value) == f"line 1, column {column}: {reason}"


def test_order_of_fields_does_not_count_and_order_of_structures_does():
    assert parse("a/b,x=1,y=2") == parse("a/b,y=2,x=1")
    assert hash(parse("a/b,x=1,y=2")) == hash(parse("a/b,y=2,x=1"))
    assert parse("a/b;c/d") != parse("c/d;a/b")
    assert parse("video/x-raw(memory:SystemMemory)") == parse("video/x-raw")
    assert MediaCaps.of("video/x-raw", format="I420", pixel_aspect_ratio=Fraction(1)) == parse(
        "video/x-raw,format=I420,pixel-aspect-ratio=1/1"
    )


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("a/b,x=1", "a/b,y=2", "a/b,x=1,y=2"),
        ("a/b,x=1", "a/b,x=2", "EMPTY"),
        ("a/b,x=1", "a/b,x=true", "EMPTY"),
        ("a/b,x=1", "a/b,x=(string)1", "EMPTY"),
        ("a/b,x=30", "a/b,x=30/1", "a/b,x=30"),
        ("a/b", "a/c", "EMPTY"),
        ("a/b,x={ 3, 1, 2 }", "a/b,x={ 1, 2, 4 }", "a/b,x={ 1, 2 }"),
        ("a/b,x={ 1, 2 }", "a/b,x=2", "a/b,x=2"),
        ("a/b,x=[ 1, 9 ]", "a/b,x=[ 5, 20 ]", "a/b,x=[ 5, 9 ]"),
        ("a/b,x=[ 1, 9 ]", "a/b,x=[ 9, 20 ]", "a/b,x=9"),
        ("a/b,x=[ 1, 8 ]", "a/b,x=[ 9, 20 ]", "EMPTY"),
        ("a/b,x=[ 2, 20, 2 ]", "a/b,x=[ 3, 21, 3 ]", "a/b,x=[ 6, 18, 6 ]"),
        ("a/b,x=[ 1, 9 ]", "a/b,x={ 5, 20 }", "a/b,x=5"),
        ("a/b,x=[ 1/1, 60/1 ]", "a/b,x=30/1", "a/b,x=30/1"),
        ("a/b,x=[ 1, 9 ]", "a/b,x=text", "EMPTY"),
        ("a/b,x=< 1, { 2, 3 } >", "a/b,x=< 1, 3 >", "a/b,x=< 1, 3 >"),
        ("a/b,x=< 1 >", "a/b,x=< 1, 3 >", "EMPTY"),
        ("a/b(memory:NVMM)", "a/b", "EMPTY"),
        ("a/b(memory:NVMM)", "a/b(ANY)", "a/b(memory:NVMM)"),
        ("a/b;c/d", "c/d;a/b", "a/b;c/d"),
        ("ANY", "a/b", "a/b"),
        ("EMPTY", "ANY", "EMPTY"),
    ],
)
def test_what_both_allow(one, other, both):
    assert str(parse(one).intersect(parse(other))) == both
    assert parse(one).can_intersect(parse(other)) is (both != "EMPTY")
    assert parse(other).can_intersect(parse(one)) is (both != "EMPTY")


@pytest.mark.parametrize(
    ("inner", "outer", "is_subset"),
    [
        ("a/b,x=1,y=2", "a/b,x=1", True),
        ("a/b,x=1", "a/b,x=1,y=2", False),
        ("a/b,x=2", "a/b,x=[ 1, 3 ]", True),
        ("a/b,x=[ 2, 3 ]", "a/b,x=[ 1, 3 ]", True),
        ("a/b,x=[ 0, 3 ]", "a/b,x=[ 1, 3 ]", False),
        ("a/b,x=[ 4, 8, 4 ]", "a/b,x=[ 2, 8, 2 ]", True),
        ("a/b,x={ 1, 2 }", "a/b,x={ 3, 2, 1 }", True),
        ("a/b,x={ 1, 9 }", "a/b,x=[ 1, 3 ]", False),
        ("a/b,x=[ 1, 3 ]", "a/b,x=2", False),
        ("a/b(memory:NVMM)", "a/b(ANY)", True),
        ("a/b(memory:NVMM)", "a/b", False),
        ("a/b,x=1;c/d", "c/d;a/b", True),
        ("a/b", "EMPTY", False),
        ("EMPTY", "a/b", True),
        ("ANY", "a/b", False),
        ("a/b", "ANY", True),
    ],
)
def test_subsets(inner, outer, is_subset):
    assert parse(inner).is_subset(parse(outer)) is is_subset


def test_fixed_caps_and_fixing():
    open_caps = parse(
        "video/x-raw,format={ NV12, I420 },width=[ 3, 640, 4 ],framerate=[ 0/1, 60/1 ];image/png"
    )
    assert not open_caps.is_fixed
    assert str(open_caps.fixate()) == "video/x-raw,format=NV12,width=4,framerate=0/1"
    assert open_caps.fixate().is_fixed
    assert not ANY.is_fixed
    assert not parse("a/b,x=< { 1, 2 } >").is_fixed
    for caps in (ANY, EMPTY):
        with pytest.raises(ValueError, match="cannot be fixated"):
            caps.fixate()


VALUES = st.one_of(
    st.integers(-5, 5),
    st.fractions(0, 5, max_denominator=3),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    st.floats(allow_nan=False, allow_infinity=False),
    st.builds(Mask, st.integers(0, 255)),
    st.tuples(st.integers(0, 5), st.integers(1, 5)).map(lambda ends: Range(ends[0], ends[0] + ends[1])),
    st.lists(st.integers(0, 5), min_size=2, max_size=4, unique=True).map(lambda each: Choices(tuple(each))),
    st.lists(st.sampled_from(["1", "x", "true"]), max_size=3).map(lambda each: Array(tuple(each))),
)
CAPS = st.lists(
    st.builds(
        Structure,
        st.sampled_from(["video/x-raw", "audio/mpeg"]),
        st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
        st.sampled_from([frozenset(), frozenset(["memory:NVMM"]), frozenset(["ANY"])]),
    ),
    max_size=3,
).map(lambda structures: MediaCaps(tuple(structures)))


@given(CAPS)
def test_any_caps_print_and_parse(caps):
    assert parse(str(caps)) == caps
    assert str(parse(str(caps))) == str(caps)
    assert parse(caps.typed()) == caps


@given(CAPS, CAPS)
def test_what_both_allow_lies_in_both(one, other):
    both = one.intersect(other)
    assert both.is_subset(one)
    assert both.is_subset(other)
    assert one.can_intersect(other) == other.can_intersect(one)
    if one.is_subset(other) and not one.is_empty:
        assert one.is_subset(both)


# Reelway's properties


def bundle(text):
    (made,) = to_bundles(parse(text))
    return made


def test_raw_pictures_in_reelways_properties():
    assert bundle(
        "video/x-raw,format={ I420, NV12 },width=640,height={ 360, 480 },framerate=30000/1001"
    ) == Caps(
        StreamType="Visual",
        CodecID="raw",
        PixelFormat=["yuv420p", "nv12"],
        Width=640,
        Height=[360, 480],
        FPS=Fraction(30000, 1001),
    )


def test_raw_sound_in_reelways_properties():
    assert bundle("audio/x-raw,format=S16LE,rate=44100,channels=2") == Caps(
        StreamType="Audio", CodecID="raw", AudioFormat="s16", SampleRate=44100, NumChannels=2
    )
    assert bundle("audio/x-raw,format=F32LE,layout=non-interleaved")["AudioFormat"] == {"fltp"}


@pytest.mark.parametrize(
    ("text", "codecs", "more"),
    [
        ("video/x-h264,stream-format=byte-stream", {"h264"}, {"DecoderConfigMode": {"in-band"}}),
        ("video/x-h264,stream-format={ avc, byte-stream }", {"h264"}, {}),
        ("video/x-h265,stream-format=hvc1", {"hevc"}, {"DecoderConfigMode": {"out-of-band"}}),
        ("audio/mpeg,mpegversion=4,stream-format=adts", {"aac"}, {"DecoderConfigMode": {"in-band"}}),
        ("audio/mpeg,mpegversion={ 2, 4 }", {"aac"}, {}),
        ("audio/mpeg,mpegversion=1,layer=3", {"mp3"}, {}),
        ("audio/mpeg,mpegversion=1", {"mp3", "mp2"}, {}),
        ("video/mpeg,mpegversion=2,systemstream=false", {"mpeg2video"}, {}),
        ("image/jpeg,width=64", {"mjpeg"}, {"Width": {64}}),
    ],
)
def test_coded_streams_in_reelways_properties(text, codecs, more):
    made = bundle(text)
    assert made["CodecID"] == codecs
    assert {name: made[name] for name in made if name not in ("StreamType", "CodecID")} == more


def test_what_a_bundle_cannot_say_is_left_open():
    assert bundle(
        "video/x-raw(memory:NVMM),width=[ 16, 640 ],framerate=0/1,pixel-aspect-ratio=1/1,colorimetry=bt709"
    ) == Caps(StreamType="Visual", CodecID="raw")
    assert bundle("video/x-raw,interlace-mode=progressive")["Interlaced"] == Not(True)
    assert bundle("video/x-raw,interlace-mode=interleaved")["Interlaced"] == {True}
    assert to_bundles(ANY) == [Caps()]
    assert to_bundles(EMPTY) == []
    assert len(to_bundles(parse("video/x-raw;image/jpeg"))) == 2


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("video/x-raw,format=I421", "no pixel format is named 'I421'", "did you mean 'I420'"),
        ("video/x-raw,format=yuv420p", "no pixel format is named 'yuv420p'", "did you mean 'I420'"),
        ("audio/x-raw,format=S16", "no sample format is named 'S16'", "did you mean 'S16LE'"),
        ("video/x-h246", "no media type is named 'video/x-h246'", "did you mean 'video/x-h26"),
    ],
)
def test_unknown_formats_are_told_with_near_ones(text, message, hint):
    with pytest.raises(PipelineError) as caught:
        to_bundles(parse(text))
    assert str(caught.value) == message
    assert (caught.value.hint or "").startswith(hint)


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        (
            {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "yuv420p", "Width": 64, "Height": 48,
             "FPS": Fraction(25)},
            "video/x-raw,format=I420,width=64,height=48,framerate=25/1",
        ),
        ({"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "yuvj420p"}, "video/x-raw,format=I420"),
        (
            {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": frozenset(["nv12", "yuv420p"])},
            "video/x-raw,format={ I420, NV12 }",
        ),
        (
            {"StreamType": "Audio", "CodecID": "raw", "AudioFormat": "fltp", "SampleRate": 48000,
             "NumChannels": 1},
            "audio/x-raw,format=F32LE,layout=non-interleaved,rate=48000,channels=1",
        ),
        (
            {"StreamType": "Audio", "CodecID": "pcm_s16le", "SampleRate": 8000, "NumChannels": 1},
            "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1",
        ),
        (
            {"StreamType": "Visual", "CodecID": "h264", "DecoderConfigMode": "out-of-band", "Width": 64},
            "video/x-h264,stream-format=avc,alignment=au,width=64",
        ),
        (
            {"StreamType": "Audio", "CodecID": "aac", "DecoderConfigMode": "in-band"},
            "audio/mpeg,mpegversion=4,stream-format=adts,framed=true",
        ),
        ({"StreamType": "Audio", "CodecID": "mp3"}, "audio/mpeg,mpegversion=1,layer=3"),
        ({"StreamType": "File", "Extension": "mp4"}, "video/quicktime,variant=iso"),
        ({"StreamType": "File", "Extension": "mkv"}, "video/x-matroska"),
        ({"StreamType": "Visual", "CodecID": "cinepak"}, "ANY"),
        ({}, "ANY"),
    ],
)  # fmt: skip
def test_what_gstreamer_would_call_a_stream(properties, text):
    assert str(of_properties(properties)) == text


@pytest.mark.parametrize("codec", MEDIA)
def test_every_codec_goes_there_and_back(codec):
    bundles = to_bundles(parse(MEDIA[codec]))
    assert any(codec in made["CodecID"] for made in bundles)


@pytest.mark.parametrize("name", PIXEL_FORMATS)
def test_every_pixel_format_goes_there_and_back(name):
    own = bundle(f"video/x-raw,format={name}").made()
    assert of_properties(own)[0].fields["format"] == name


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("video/x-raw", True),
        ("video/x-raw,width=[ 16, 640 ],framerate=[ 1/1, 30/1 ]", True),
        ("video/x-raw,width=[ 16, 63 ]", False),
        ("video/x-raw,format={ NV12, I420 },pixel-aspect-ratio=1/1,interlace-mode=progressive", True),
        ("video/x-raw,interlace-mode=interleaved", False),
        ("video/x-raw,colorimetry=bt709", True),
        ("video/x-raw,framerate=0/1", False),
        ("image/jpeg;video/x-raw,width=64", True),
        ("image/jpeg", False),
        ("ANY", True),
        ("EMPTY", False),
    ],
)
def test_whether_a_stream_is_accepted(text, accepted):
    have = {
        "StreamType": "Visual",
        "CodecID": "raw",
        "PixelFormat": "yuv420p",
        "Width": 64,
        "FPS": Fraction(25),
    }
    assert accepts(parse(text), have) is accepted


def test_what_is_fixed_agrees_with_the_bundles():
    have = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "yuv420p", "Width": 64}
    for text in ("video/x-raw,width=64", "video/x-raw,width=65", "video/x-raw,height=64", "audio/x-raw"):
        fits = any(not isinstance(match(have, made), Mismatch) for made in to_bundles(parse(text)))
        assert accepts(parse(text), have) is fits


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("video/x-raw,width=0", "0"),
        ("video/x-raw,width=320,height=-4", "-4"),
        ("video/x-raw,width=(int)0,height=2", "(int)0"),
        ("video/x-raw,height={ 0, 240 }", "{ 0, 240 }"),
        ("video/x-raw,width=[ -3, 0 ]", "[ -3, 0 ]"),
        ("video/x-raw,width=640.5", "640.5"),
        ("video/x-raw,framerate=1/0", "1/0"),
        ("video/x-raw,framerate=-25/1", "-25/1"),
        ("audio/x-raw,rate=0", "0"),
        ("audio/x-raw,rate=8000,channels=0", "0"),
    ],
)
def test_a_measure_that_no_stream_can_have_is_refused_where_it_stands(text: str, word: str) -> None:
    with pytest.raises(PipelineError) as caught:
        MediaCaps.parse(text)
    assert caught.value.text[caught.value.at :][: caught.value.length] == word
    assert caught.value.reason.startswith(f"{word!r} is no ")
    assert caught.value.hint is not None


@pytest.mark.parametrize("text", ["video/x-raw,framerate=0/1", "video/x-raw,width=[ 0, 640 ],framerate=25"])
def test_a_rate_that_varies_and_a_range_from_0_on_are_caps(text: str) -> None:
    assert not MediaCaps.parse(text).is_empty
