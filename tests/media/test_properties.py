"""Well-known properties: their names, codes, types and texts."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.errors import OptionError
from reelway.media import properties
from reelway.media.properties import KNOWN, PropertyType, fit, lookup, parse, type_of
from reelway.media.values import Size


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("ID", "PIDI", PropertyType.UINT),
        ("StreamType", "PMST", PropertyType.STREAM_TYPE),
        ("CodecID", "POTI", PropertyType.CODEC),
        ("Timescale", "TIMS", PropertyType.UINT),
        ("Duration", "PDUR", PropertyType.FRACTION64),
        ("Width", "WIDT", PropertyType.UINT),
        ("PixelFormat", "PFMT", PropertyType.PIXEL_FORMAT),
        ("NumChannels", "CHNB", PropertyType.UINT),
        ("SampleRate", "AUSR", PropertyType.UINT),
        ("DecoderConfig", "DCFG", PropertyType.DATA),
        ("Delay", "MDLY", PropertyType.LONG),
        ("Rotate", "VROT", PropertyType.UINT),
        ("SRD", "SRD ", PropertyType.VEC4I),
    ],
)
def test_gpacs_words(name, code, kind):
    info = lookup(name)
    assert info is not None
    assert (info.name, info.code, info.type) == (name, code, kind)
    assert lookup(code) is info


def test_lookup_is_exact_but_for_two_aliases():
    assert lookup("width") is None
    assert lookup("NoSuchThing") is None
    assert lookup("") is None
    assert lookup("PID") is KNOWN["ID"]
    assert lookup("Channels") is KNOWN["NumChannels"]


def test_codes_are_four_characters_and_unique():
    codes = [info.code for info in KNOWN.values() if info.code]
    assert len(set(codes)) == len(codes)
    assert {len(code) for code in codes} == {4}


def test_some_properties_belong_to_packets():
    assert KNOWN["SenderNTP"].of_packet
    assert not KNOWN["Width"].of_packet


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("Width", "1280", 1280),
        ("Bitrate", "2m", 2_000_000),
        ("Delay", "-512", -512),
        ("FPS", "30000/1001", Fraction(30000, 1001)),
        ("OriginalSize", "hd", Size(1920, 1080)),
        ("SRD", "0x0x64x32", (0, 0, 64, 32)),
        ("StreamType", "video", "Visual"),
        ("CodecID", "AVC", "h264"),
        ("PixelFormat", "grey", "gray"),
        ("AudioFormat", "pcm", "s16"),
        ("Alpha", None, True),
        ("Alpha", "no", False),
        ("Role", "main,caption", ["main", "caption"]),
        ("TrackMatrix", "1,-1", [1, -1]),
        ("DecoderConfig", "0x0102", b"\x01\x02"),
        ("DecoderConfig", "b64@AQI=", b"\x01\x02"),
        ("Language", "de", "de"),
        ("MyOwn", "5", "5"),
        ("MyOwn", "uint@5k", 5000),
        ("MyOwn", "odd@5", "odd@5"),
        ("MyOwn", None, True),
    ],
)
def test_text_is_read_in_the_type_of_the_property(name, text, value):
    assert parse(name, text) == value


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("Width", "wide", "property Width: 'wide' is not a whole number"),
        ("Width", -1, "property Width: -1 is negative"),
        ("PID", "x", "property ID: 'x' is not a whole number"),
        ("SRD", "1x2", "property SRD: '1x2' is not 4 whole numbers such as 1x2x3x4"),
        ("SRD", 7, "property SRD: 7 is not 4 whole numbers such as 1x2x3x4"),
        ("StreamType", 3, "property StreamType: 3 is not a name"),
        ("URL", 3, "property URL: 3 is not text"),
        ("DecoderConfig", "b64@*", "property DecoderConfig: 'b64@*' is not base64"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name, value, says):
    with pytest.raises(OptionError) as caught:
        fit(name, value)
    assert str(caught.value) == says


def test_values_are_made_canonical_and_unknown_names_left_alone():
    marker = object()
    assert fit("CodecID", "avc") == "h264"
    assert fit("FPS", 25) == Fraction(25)
    assert fit("OriginalSize", (4, 3)) == Size(4, 3)
    assert fit("Mine", marker) is marker
    assert fit("Width", None) is None


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("FPS", Fraction(25), "25"),
        ("FPS", Fraction(30000, 1001), "30000/1001"),
        ("Alpha", True, "true"),
        ("OriginalSize", Size(4, 3), "4x3"),
        ("SRD", (1, 2, 3, 4), "1x2x3x4"),
        ("Role", ["main", "sign"], "main,sign"),
        ("DecoderConfig", b"\x01\xab", "2 bytes 0x01AB"),
        ("DecoderConfig", b"123456789" * 5, "45 bytes (CRC32 0x39D4AA32)"),
        ("URL", "rtsp://me:q7xpw@cam/x", "rtsp://me:***@cam/x"),
        ("Mine", None, ""),
    ],
)
def test_values_are_shown(name, value, text):
    assert properties.format(name, value) == text


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, PropertyType.BOOL),
        (3, PropertyType.LONG),
        (1.5, PropertyType.DOUBLE),
        (Fraction(1, 2), PropertyType.FRACTION64),
        (Size(1, 1), PropertyType.SIZE),
        ("a", PropertyType.STRING),
        (b"a", PropertyType.DATA),
        (["a"], PropertyType.STRINGS),
        ([1, 2], PropertyType.INTS),
        ([], PropertyType.OBJECT),
        (object(), PropertyType.OBJECT),
    ],
)
def test_a_users_property_has_the_type_of_its_value(value, kind):
    assert type_of(value) is kind


VALUES = {
    PropertyType.BOOL: st.booleans(),
    PropertyType.INT: st.integers(),
    PropertyType.UINT: st.integers(min_value=0),
    PropertyType.LONG: st.integers(),
    PropertyType.FRACTION: st.fractions(),
    PropertyType.DOUBLE: st.floats(allow_nan=False),
    PropertyType.SIZE: st.builds(Size, st.integers(0, 9999), st.integers(0, 9999)),
    PropertyType.VEC4I: st.tuples(*[st.integers()] * 4),
    PropertyType.CODEC: st.sampled_from(["h264", "aac", "raw"]),
    PropertyType.UINTS: st.lists(st.integers(min_value=0)),
}


@given(st.sampled_from(sorted(KNOWN)).filter(lambda name: KNOWN[name].type in VALUES), st.data())
def test_what_is_shown_reads_back(name, data):
    value = data.draw(VALUES[KNOWN[name].type])
    assert parse(name, properties.format(name, value)) == value
