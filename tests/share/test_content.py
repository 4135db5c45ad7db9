"""What is shared comes out as it went in: arrays of any type, every pixel and sample format, properties."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from reelway import share
from reelway.errors import PacketError
from reelway.media.frame import MemoryFrame
from reelway.media.layout import PICTURE_FORMATS, SAMPLE_FORMATS, layout_of
from reelway.media.packet import Packet
from reelway.media.values import Size
from reelway.share.content import Format, content_of, from_json, metadata_from, metadata_to, to_json
from reelway.share.reader import look
from reelway.share.wire import MAX_DESCRIPTION

DTYPES = arrays.scalar_dtypes() | arrays.array_dtypes(allow_subarrays=True)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.fractions()
    | st.builds(Size, st.integers(0, 9999), st.integers(0, 9999)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.sampled_from(["/", "x", "t", "s", "f", "d"]), inner, max_size=3)
    ),
    max_leaves=8,
)


OUT_OF_ORDER = numpy.dtype({"names": ["a", "b"], "formats": ["u1", "u2"], "offsets": [4, 0]})
ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
RGB = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "rgb24", "Width": 16, "Height": 8}


def through(data: Any, properties: Mapping[str, Any] | None = None) -> tuple[Format, memoryview]:
    """As it would come out of a slot that had something else in it before."""
    content = content_of(data, properties)
    slot = bytearray(b"\xa5" * (content.size + 8))
    content.fill(memoryview(slot)[: content.size])
    assert slot[content.size :] == b"\xa5" * 8
    format = Format(json.loads(json.dumps(content.description)))
    return format, memoryview(slot)[: content.size].toreadonly()


@given(arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0, max_dims=4, max_side=4)))
def test_arrays_of_any_type_and_shape(array: numpy.ndarray[Any, Any]) -> None:
    format, slot = through(array)
    found = format.array(slot)
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes()
    assert not found.flags.writeable


@pytest.mark.parametrize(
    "dtype",
    [
        ">f8",
        "<c16",
        "S5",
        "<U3",
        "M8[ns]",
        "?",
        [("x", "<f4"), ("box", [("left", ">i2"), ("right", "u1", (2, 3))])],
        [(("a title", "name"), "u1"), ("more", "<i8")],
        numpy.dtype([("a", "u1"), ("b", "<f8")], align=True),
        numpy.dtype({"names": ["a", "b"], "formats": ["u1", "u2"], "offsets": [4, 8], "itemsize": 16}),
    ],
    ids=str,
)
def test_types_with_an_order_or_a_structure(dtype: Any) -> None:
    wanted = numpy.dtype(dtype)
    data = numpy.arange(3 * wanted.itemsize, dtype=numpy.uint8)
    array = data.view(wanted) if wanted != numpy.dtype("?") else numpy.array([True, False, True])
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        for given in (array, array[::-1], array.reshape(3, 1)[::2]):
            writer.write(given)
            found = frames.pull(10.0)
            assert found is not None
            assert found.dtype == wanted
            assert found.shape == given.shape
            for name in wanted.names or ():
                assert (found[name] == given[name]).all()
            if wanted.names is None:
                assert found.tobytes() == given.tobytes()


def test_arrays_without_a_row_or_with_gaps() -> None:
    whole = numpy.arange(2 * 6 * 8 * 3, dtype=numpy.uint16).reshape(2, 6, 8, 3)
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        for given in (whole[0, ::2, ::-1], whole.T, whole[:, 2:3], numpy.array(7.5), numpy.empty((0, 3))):
            writer.write(given)
            found = frames.pull(10.0)
            assert found is not None
            assert found.shape == given.shape
            assert found.tolist() == given.tolist()


@pytest.mark.parametrize("name", sorted(PICTURE_FORMATS))
def test_every_pixel_format_byte_for_byte(name: str) -> None:
    for width, height in ((16, 8), (17, 9)):
        properties = {
            "StreamType": "Visual", "CodecID": "raw", "PixelFormat": name, "Width": width, "Height": height,
        }  # fmt: skip
        data = numpy.random.default_rng(1).integers(0, 256, layout_of(properties).size, numpy.uint8).tobytes()
        frame = MemoryFrame.of(memoryview(data), properties)
        for each in (frame, data):
            format, slot = through(each, properties)
            assert bytes(slot) == data
            for found, wanted in zip(format.planes(slot), frame.planes(), strict=True):
                assert found.tobytes() == wanted.tobytes()
                assert found.shape == wanted.shape
            assert format.array(slot).tobytes() == data
            assert not format.array(slot).flags.writeable


@pytest.mark.parametrize("name", [*SAMPLE_FORMATS, *(f"{each}p" for each in SAMPLE_FORMATS)])
def test_every_sample_format_byte_for_byte(name: str) -> None:
    properties = {"StreamType": "Audio", "CodecID": "raw", "AudioFormat": name, "NumChannels": 3}
    item = int(SAMPLE_FORMATS[name.removesuffix("p")][1])
    data = numpy.random.default_rng(1).integers(0, 256, 3 * 100 * item, numpy.uint8).tobytes()
    frame = MemoryFrame.of(memoryview(data), properties)
    for each in (frame, data):
        format, slot = through(each, properties)
        assert bytes(slot) == data
        array = format.array(slot)
        assert array.shape == ((3, 100) if name.endswith("p") else (100, 3))
        assert array.tobytes() == data


def test_pictures_have_the_shapes_that_opencv_has() -> None:
    shapes = {"rgb24": (8, 16, 3), "gray": (8, 16), "yuv420p": (12, 16), "nv12": (12, 16), "gbrp": (3, 8, 16)}
    for name, shape in shapes.items():
        properties = {
            "StreamType": "Visual", "CodecID": "raw", "PixelFormat": name, "Width": 16, "Height": 8,
        }  # fmt: skip
        format, slot = through(bytes(layout_of(properties).size), properties)
        assert format.array(slot).shape == shape


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_properties_and_metadata_come_as_they_went(properties: dict[str, Any]) -> None:
    said = json.loads(json.dumps(to_json(properties)))
    assert from_json(said) == properties
    assert metadata_from(json.loads(json.dumps(metadata_to(properties)))) == properties
    for value in properties.values():
        assert type(from_json(json.loads(json.dumps(to_json(value))))) is type(value)


def test_metadata_with_the_values_of_numpy() -> None:
    boxes = {"box": (numpy.int64(3), numpy.float32(0.5)), "sure": numpy.bool_(True), "nan": float("nan")}
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        writer.write(b"x", properties={"FPS": Fraction(30000, 1001), "Lost": object()}, metadata=boxes)
        frame = frames.pull(10.0)
        assert frame is not None
        assert frame.metadata["box"] == (3, 0.5)
        assert frame.metadata["sure"] is True
        assert frame.metadata["nan"] != frame.metadata["nan"]
        assert dict(frame.properties) == {"FPS": Fraction(30000, 1001)}, "what has no form is left out"


class Counted(list[Any]):
    """A list that counts how often somebody goes through it."""

    turns = 0

    def __iter__(self) -> Iterator[Any]:
        self.turns += 1
        return super().__iter__()


def test_what_lies_deep_is_said_once() -> None:
    """Not twice for each level: that has no end."""
    innermost = Counted([1])
    value: Any = innermost
    for _ in range(4):
        value = [{"a": (value,)}]
    assert from_json(to_json(value)) == value
    assert innermost.turns == 1
    assert metadata_from(metadata_to({"a": value})) == {"a": value}
    assert innermost.turns == 2


def test_all_that_a_packet_says_goes_along() -> None:
    packet = Packet(b"abc", 10, 20, 30, 1, 3)
    packet.capture_time, packet.corrupted, packet.discontinuity = 123456789, True, True
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        properties = {
            "StreamType": "Visual",
            "CodecID": "h264",
            "Timescale": 1000,
            "DecoderConfig": b"\0\xff",
        }
        writer.write(packet, properties=properties, metadata={"Name": "cam"})
        frame = frames.pull(10.0)
        assert frame is not None
        assert frame.tobytes() == b"abc"
        assert (frame.dts, frame.cts, frame.duration, frame.capture_time) == (10, 20, 30, 123456789)
        assert (frame.sap, frame.corrupted, frame.discontinuity) == (1, True, True)
        assert frame.time == 0.02
        assert dict(frame.properties) == properties
        assert dict(frame.metadata) == {"Name": "cam"}


class Tensor:
    """As torch has them."""

    def __init__(self, device: str) -> None:
        self.device = device

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> numpy.ndarray[Any, Any]:
        if self.device != "cpu":
            raise TypeError(f"can't convert {self.device} device type tensor to numpy")
        return numpy.arange(6, dtype=numpy.float32).reshape(2, 3)


@pytest.mark.parametrize(
    "data",
    [Tensor("cpu"), Image.new("RGB", (4, 2), "red"), numpy.float64(0.5), numpy.int8(3)],
    ids=["tensor", "image", "float", "int"],
)
def test_what_numpy_takes_for_an_array(data: Any) -> None:
    expected = numpy.asarray(data)
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        writer.write(data)
        frame = frames.pull(10.0)
        assert frame is not None
        assert (frame.dtype, frame.shape) == (expected.dtype, expected.shape)
        assert frame.tolist() == expected.tolist()


def test_bytes_with_gaps() -> None:
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        writer.write(memoryview(b"abcdef")[::2])
        frame = frames.pull(10.0)
        assert frame is not None
        assert frame.tobytes() == b"ace"


@pytest.mark.parametrize("sap", range(5))
def test_points_of_access_keep_their_type(sap: int) -> None:
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        packet = Packet(b"abc", 1, 1, 1, sap)
        packet.seek = sap == 3
        writer.write(packet)
        writer.write(b"abc")
        frame, other = frames.pull(10.0), frames.pull(10.0)
        assert frame is not None
        assert other is not None
        assert (frame.sap, frame.seek, frame.corrupted, frame.discontinuity) == (sap, sap == 3, False, False)
        assert (other.sap, other.seek) == (0, False)


@pytest.mark.parametrize("shared", [False, True])
def test_a_packet_that_was_truncated(shared: bool) -> None:
    packet = Packet.allocate(10)
    packet.writable()[:] = b"0123456789"
    other = packet.clone() if shared else packet
    other.truncate(4)
    array = Packet(numpy.arange(6, dtype=numpy.uint16))
    array.truncate(4)
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        for given, expected in ((other, b"0123"), (Packet(b"0123", size=2), b"01"), (array, b"\0\0\1\0")):
            writer.write(given)
            frame = frames.pull(10.0)
            assert frame is not None
            assert frame.tobytes() == bytes(given.data) == expected


def test_the_longest_description_reaches_who_comes_later() -> None:
    properties = {"a": "x" * (MAX_DESCRIPTION - 100)}
    with share.Writer("cam1") as writer:
        writer.write(b"x", properties=properties)
        with share.open("cam1", policy="latest") as frames:
            frame = frames.pull(10.0)
            assert frame is not None
            assert dict(frame.properties) == properties
        told = look("cam1", 10.0)
        assert told is not None, "it was cut short"
        assert told["format"]["properties"] == properties


@pytest.mark.parametrize(
    ("data", "more", "text"),
    [
        (numpy.array([object()]), {}, "an array of object cannot be shared"),
        (numpy.array(["a"], numpy.dtypes.StringDType()), {}, "cannot be shared"),
        (numpy.zeros(2, OUT_OF_ORDER), {}, "out-of-order"),
        (b"x", {"properties": RGB}, "1 bytes are too few for rgb24: it has 384"),
        (42, {}, "a int cannot be shared"),
        (b"x", {"metadata": {"a": object()}}, "metadata 'a' cannot be said: object"),
        (b"x", {"metadata": {"a": [1, {2: 3}]}}, "metadata 'a' cannot be said: list"),
        (b"x", {"metadata": {1: 2}}, "metadata 1 cannot be said"),
        (b"x", {"metadata": {"a": "x" * 300_000}}, "too many for one message"),
        (b"x", {"properties": {"a": "x" * 300_000}}, "too many for one message"),
        (b"x", {"properties": {"a": "x" * 261_000}}, "too many for one message"),
        (Packet({}), {}, "the payload is a dict"),
        (Tensor("cuda:0"), {}, "a Tensor cannot be shared: can't convert cuda:0"),
        (numpy.ma.masked_array([1, 2], [0, 1]), {}, "an array with a mask"),
        (b"x", {"metadata": {"a": ENDLESS}}, "metadata 'a' cannot be said: list"),
        (b"x", {"properties": {"a": ENDLESS}}, "nested too deep"),
        (b"12345678", {"properties": RGB | {"Width": -2}}, "8 bytes are too few"),
        (b"x", {"properties": {"Timescale": 0}}, "Timescale 0"),
        (b"x", {"properties": {"Timescale": "25"}}, "Timescale '25'"),
        (b"x", {"dts": 2**70}, "whole numbers of 64 bits"),
        (b"x", {"dts": 0.5}, "whole numbers of 64 bits"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_shared_is_refused_and_the_rest_goes_on(data: Any, more: Any, text: str) -> None:
    with share.Writer("cam1", slots=2) as writer, share.open("cam1") as frames:
        for _ in range(5):  # more often than there are slots
            with pytest.raises(PacketError, match=text):
                writer.write(data, **more)
        for number in range(1, 5):
            assert writer.write(b"good", metadata={"n": number}, timeout_s=10.0) == number
            frame = frames.pull(10.0)
            assert frame is not None
            assert frame.tobytes() == b"good"
            assert frame.metadata["n"] == number


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"kind": "film"},
        {"kind": ["array"]},
        {"kind": "array"},
        {"kind": "array", "dtype": "O", "shape": [1]},
        {"kind": "array", "dtype": [["a", "|O"]], "shape": [1]},
        {"kind": "array", "dtype": "u1", "shape": [-1]},
        {"kind": "array", "dtype": "u1", "shape": [True]},
        {"kind": "array", "dtype": "u1", "shape": 5},
        {"kind": "array", "dtype": "no such type", "shape": [1]},
        {"kind": "array", "dtype": "u1,(", "shape": [1]},
        {"kind": "array", "dtype": 7, "shape": [1]},
        {"kind": "packet", "properties": {"a": {"/": [1, 0]}}},
        {"kind": "packet", "properties": {"a": {"x": "!"}}},
        {"kind": "packet", "properties": {"/": [1, 2]}},
        {"kind": "packet", "properties": [1]},
        {"kind": "sound", "properties": {"AudioFormat": "s16p", "NumChannels": 2**40}},
        {"kind": "sound", "properties": {}},
    ],
    ids=str,
)
def test_a_description_that_means_nothing_is_an_error(description: Any) -> None:
    with pytest.raises(PacketError, match="what was shared is not described"):
        Format(description)


@pytest.mark.parametrize(
    "description",
    [
        {"kind": "array", "dtype": "u1", "shape": [1000]},
        {"kind": "array", "dtype": "u1", "shape": [2**62, 2**62]},
        {"kind": "picture", "properties": {}},
        {"kind": "picture", "properties": {"PixelFormat": "rgb24", "Width": 100, "Height": 100}},
        {"kind": "picture", "properties": {"PixelFormat": "rgb24", "Width": 2**70, "Height": 2**70}},
        {"kind": "picture", "properties": {"PixelFormat": "rgb24", "Width": "wide", "Height": 1}},
        {"kind": "picture", "properties": {"PixelFormat": "rgb24", "Width": -1, "Height": -1}},
        {"kind": "picture", "properties": {"PixelFormat": [], "Width": 1, "Height": 1}},
        {"kind": "sound", "properties": {"StreamType": "Audio", "AudioFormat": 5, "NumChannels": 2}},
    ],
    ids=str,
)
def test_a_slot_that_is_not_what_is_said_is_an_error(description: Any) -> None:
    format = Format(description)
    with pytest.raises(PacketError, match="what was shared is not what it says"):
        format.array(memoryview(bytes(16)))
    with pytest.raises(PacketError, match="what was shared is not what it says"):
        format.planes(memoryview(bytes(16)))
    for read in (format.array, format.planes):
        with pytest.raises(PacketError, match="what was shared is not what it says"):
            read(memoryview(b""))
