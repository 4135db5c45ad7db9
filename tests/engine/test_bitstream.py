"""The decoder configuration moves into the stream and out of it; the pictures stay what they were."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import hypothesis
import pytest
from hypothesis import strategies

import reelway as rw
from reelway.engine import nal
from reelway.engine.adts import Adts
from reelway.engine.bitstream import Bitstream
from reelway.engine.streaminfo import config_mode
from reelway.filters.simple import Forward
from tests.media import make, probe


class Taster(Forward):
    """Keeps what passes: the properties and a copy of each packet's bytes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.properties: dict[str, dict[str, Any]] = {}
        self.data: dict[str, list[bytes]] = {}

    def configure(self, pid: rw.Link) -> None:
        super().configure(pid)
        self.properties[pid.properties["CodecID"]] = pid.properties

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.data.setdefault(pid.properties["CodecID"], []).append(bytes(packet.data))
                assert pid.output is not None
                pid.output.send(packet)


def wanting(codec: str, mode: str) -> type[Taster]:
    class Wanting(Taster):
        inputs = (rw.Caps(CodecID=codec, DecoderConfigMode=mode),)
        outputs = (rw.Caps(),)

    return Wanting


def through(source: str, target: Path, taster: Taster, *before: rw.Filter) -> str:
    """`source` through `taster` into `target`; what explain() says of it."""
    with rw.Session() as session:
        reader = session.load_src(str(make.media(source)))
        writer = session.load_dst(str(target))
        session.chain(reader, *(session.add(each) for each in (*before, taster)), writer)
        text = str(session.explain())
        session.run()
    return text


def play(source: Path, kind: str, *filters: rw.Filter | str, into: str = "null") -> None:
    """One stream of `source` through the filters, given or by name, into a file or into nothing."""
    with rw.Session() as session:
        last: Any = getattr(session.load_src(str(source)), kind)
        for each in filters:
            last = last >> (session.load(each) if isinstance(each, str) else session.add(each))
        last >> session.load_dst(into)
        session.run()


SAME = [
    ("film.mp4", "h264", "in-band"),
    ("film.ts", "h264", "out-of-band"),
    ("film.h264", "h264", "out-of-band"),
    ("hevc.mp4", "hevc", "in-band"),
    ("hevc.ts", "hevc", "out-of-band"),
    ("film.mp4", "aac", "in-band"),
    ("film.ts", "aac", "out-of-band"),
    ("tone.aac", "aac", "out-of-band"),
]


@pytest.mark.debian("ffmpeg")
@pytest.mark.parametrize("target", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(("source", "codec", "mode"), SAME)
def test_a_filter_that_wants_another_form_gets_it(
    source: str, codec: str, mode: str, target: str, tmp_path: Path
) -> None:
    path = tmp_path / f"out.{target}"
    taster = wanting(codec, mode)(name="taster")
    text = through(source, path, taster)
    assert f"bitstream:mode={mode} -> taster" in text

    properties = taster.properties[codec]
    assert properties["DecoderConfigMode"] == mode
    first = taster.data[codec][0]
    if mode == "in-band":
        assert first.startswith((b"\0\0\0\1", b"\0\0\1") if codec != "aac" else b"\xff\xf1")
    else:
        config = properties["DecoderConfig"]
        assert config[0] == 1 or codec == "aac"
        assert not first.startswith((b"\0\0\0\1", b"\0\0\1", b"\xff\xf1"))

    _, warnings = probe.ffprobe(path)
    assert warnings == ""
    before, after = probe.packets(make.media(source)), probe.packets(path)
    for kind in ("video", "audio"):
        wanted = [stream for stream in before if stream.kind == kind]
        assert [[p.digest for p in s.packets] for s in after if s.kind == kind] == [
            [p.digest for p in s.packets] for s in wanted
        ]
    if any(stream.kind == "video" for stream in before):
        numbers = probe.counters(path)
        assert numbers[0] == 0  # the first frame decodes
        assert numbers == probe.counters(make.media(source))


@pytest.mark.parametrize("name", ["film.mp4", "cif30.mp4", "late.mp4", "hevc.mp4"])
def test_there_and_back_gives_the_same_packets(name: str, tmp_path: Path) -> None:
    taster = Taster(name="taster")
    through(name, tmp_path / "out.mp4", taster, Bitstream(mode="in-band"), Bitstream(mode="out-of-band"))
    plain = Taster(name="plain")
    through(name, tmp_path / "plain.mp4", plain)
    for codec, config in ((codec, plain.properties[codec]["DecoderConfig"]) for codec in plain.data):
        assert plain.data[codec] == taster.data[codec] or codec != "aac"
        made = taster.properties[codec]["DecoderConfig"]
        if codec == "aac":  # ADTS cannot say that there is no SBR
            assert config.startswith(made)
        else:
            assert sets_of(codec, made) == sets_of(codec, config)
    assert [stream.packets for stream in probe.packets(tmp_path / "out.mp4")] == [
        stream.packets for stream in probe.packets(tmp_path / "plain.mp4")
    ]


@pytest.mark.parametrize(
    ("name", "codec"), [("film.mp4", "h264"), ("hevc.mp4", "hevc"), ("film.mov", "h264"), ("vfr.mp4", "h264")]
)
def test_the_record_says_what_the_encoder_s_own_says(name: str, codec: str) -> None:
    with av.open(str(make.media(name))) as container:
        own = bytes(container.streams.video[0].codec_context.extradata or b"")
    sets = sets_of(codec, own)
    made = nal.configuration(codec, reversed(sets))
    assert made is not None
    assert sets_of(codec, made) == sets
    head = 5 if codec == "h264" else 22
    unsaid = {13, 14, 15, 21} if codec == "hevc" else set()  # parallelism and how many layers: free to say
    assert [byte for at, byte in enumerate(made[:head]) if at not in unsaid] == [
        byte for at, byte in enumerate(own[:head]) if at not in unsaid
    ]


def sets_of(codec: str, record: bytes) -> list[bytes]:
    """The parameter sets in a record, in its order."""
    found, at = [], 5 if codec == "h264" else 23

    def take(count: int) -> None:
        nonlocal at
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2], "big")
            found.append(record[at + 2 : at + 2 + size])
            at += 2 + size

    if codec == "h264":
        for mask in (31, 255):
            at += 1
            take(record[at - 1] & mask)
        return found
    for _ in range(record[22]):
        kind = record[at] & 63
        at += 3
        count = int.from_bytes(record[at - 2 : at], "big")
        before = len(found)
        take(count)
        if kind not in {32, 33, 34}:
            del found[before:]
    return found


def high_profile(path: Path, pixel_format: str) -> Path:
    return make.film(
        path, seconds=1, audio=0, pixel_format=pixel_format, container="mpegts",
        video_options={"profile": "high422" if "422" in pixel_format else "high444"},
    )  # fmt: skip


@pytest.mark.parametrize(("pixel_format", "chroma", "depth"), [("yuv422p10le", 2, 2), ("yuv444p", 3, 0)])
def test_high_profiles_say_chroma_and_depth(
    pixel_format: str, chroma: int, depth: int, tmp_path: Path
) -> None:
    source = high_profile(tmp_path / "high.ts", pixel_format)
    taster = wanting("h264", "out-of-band")(name="taster")
    play(source, "video", taster)
    record = taster.properties["h264"]["DecoderConfig"]
    assert record[-4:] == bytes((0xFC | chroma, 0xF8 | depth, 0xF8 | depth, 0))


def test_parameter_sets_from_the_first_keyframe(tmp_path: Path) -> None:
    """A stream joined in the middle, with nothing said beside it: it starts at the first parameter sets."""

    class Headless(Forward):
        def configure(self, pid: rw.Link) -> None:
            from reelway.engine.streaminfo import StreamInfo

            properties = dict(pid.properties)
            properties["StreamInfo"] = StreamInfo.from_properties(
                {name: value for name, value in properties.items() if name != "DecoderConfig"}
            )
            del properties["DecoderConfig"]
            pid.output = self.new_pid("video", **properties)
            self.left_out = 10

        def process(self) -> None:
            for packet in self.ipids[0]:
                self.left_out -= 1
                if self.left_out < 0:
                    assert self.ipids[0].output is not None
                    self.ipids[0].output.send(packet)

    with rw.Session() as session:
        source = session.load_src(str(make.media("film.ts")))
        (
            source.video
            >> session.add(Headless())
            >> session.add(Bitstream(mode="out-of-band"))
            >> session.load_dst(str(tmp_path / "out.mp4"))
        )
        session.run()
    assert probe.counters(tmp_path / "out.mp4") == list(range(25, 100))


def test_a_stream_without_parameter_sets_is_an_error() -> None:
    class Damage(Forward):
        def configure(self, pid: rw.Link) -> None:
            properties = {**pid.properties}
            del properties["StreamInfo"], properties["DecoderConfig"]
            pid.output = self.new_pid("video", **properties)

        def process(self) -> None:
            for packet in self.ipids[0]:
                if not packet.sap:
                    assert self.ipids[0].output is not None
                    self.ipids[0].output.send(packet)

    with pytest.raises(rw.ReelwayError, match="without its decoder configuration"):
        play(make.media("film.h264"), "video", Damage(), Bitstream(mode="out-of-band"))


def test_any_filter_of_ffmpeg(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    play(make.media("film.mp4"), "video", "bsf:name=h264_metadata=sample_aspect_ratio=4/3", into=str(target))
    with av.open(str(target)) as container:
        assert container.streams.video[0].codec_context.sample_aspect_ratio == Fraction(4, 3)
    assert probe.counters(target) == list(range(100))


def test_ffmpeg_s_filters_one_after_the_other(tmp_path: Path) -> None:
    """Every packet twice through: parameter sets into the stream, and filler and SEI out of it."""
    taster = Taster(name="taster")
    filters = Bitstream(f="h264_mp4toannexb,filter_units=remove_types=6")
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        (
            source.video
            >> session.add(filters)
            >> session.add(taster)
            >> session.load_dst(str(tmp_path / "o.mp4"))
        )
        session.run()
    kinds = {unit[0] & 31 for data in taster.data["h264"] for unit in nal.split(data)}
    assert kinds == {1, 5, 7, 8}
    assert probe.counters(tmp_path / "o.mp4") == list(range(100))


def test_a_text_codec_changes_its_name() -> None:
    taster = Taster(name="taster")
    play(make.media("subtitles-srt.mkv"), "text", Bitstream(f="text2movsub"), taster)
    assert [data[2:] for data in next(iter(taster.data.values()))] == [
        b"first cue",
        b"second cue",
        b"third cue",
    ]


def test_names_that_are_none_are_refused() -> None:
    with pytest.raises(rw.ReelwayError, match="h264_metadat"):
        play(make.media("film.mp4"), "video", "bsf:f=h264_metadat")
    with pytest.raises(rw.ReelwayError, match="refused the bitstream filter"):
        play(make.media("film.mp4"), "audio", "bsf:f=h264_metadata")
    assert Bitstream(name="mine").name == "mine"


def test_streams_of_one_form_pass(tmp_path: Path) -> None:
    taster = Taster(name="taster")
    through("film.webm", tmp_path / "out.webm", taster, Bitstream(mode="in-band"))
    assert [s.packets for s in probe.packets(tmp_path / "out.webm")] == [
        s.packets for s in probe.packets(make.media("film.webm"))
    ]


def test_no_form_is_made_of_another_codec() -> None:
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.webm")))
        source.video >> session.add(wanting("vp9", "in-band")(name="taster")) >> session.load("null")
        with pytest.raises(rw.LinkError, match="DecoderConfigMode is not set, wanted in-band"):
            session.run()


def test_after_a_seek_the_conversion_goes_on() -> None:
    """A seek in mid-stream: bitstream filters forget what they held, and the pictures after it decode."""
    taster = wanting("h264", "in-band")(name="taster")

    class SeekOnce(Forward):
        seeking = False

        def process(self) -> None:
            for packet in self.ipids[0]:
                if not self.seeking:
                    self.seeking = True
                    self.ipids[0].send_event(rw.events.Seek(time_s=3.0))
                assert self.ipids[0].output is not None
                self.ipids[0].output.send(packet)

    play(make.media("film.mp4"), "video", taster, SeekOnce())
    codec: Any = av.CodecContext.create("h264", "r")
    numbers = []
    for data in taster.data["h264"][-25:]:
        numbers += [
            make.read_counter(frame.to_ndarray(format="gray")) for frame in codec.decode(av.Packet(data))
        ]
    assert numbers[0] == 75


@pytest.mark.parametrize(
    ("codec", "extradata", "mode"),
    [
        ("h264", b"\x01\x64", "out-of-band"), ("h264", b"\0\0\0\1\x67", "in-band"), ("h264", None, "in-band"),
        ("hevc", b"\x01", "out-of-band"), ("hevc", b"", "in-band"), ("aac", b"\x11\x90", "out-of-band"),
        ("aac", None, "in-band"), ("vp9", None, None), ("opus", b"OpusHead", None),
    ],
)  # fmt: skip
def test_what_the_extradata_says(codec: str, extradata: bytes | None, mode: str | None) -> None:
    assert config_mode(codec, extradata) == mode


@pytest.mark.parametrize(
    ("config", "heard"),
    [
        ("1190", "1190"),  # AAC-LC, 48 kHz, stereo
        ("1408", "1408"),  # 16 kHz, mono
        ("12b0", "12b0"),  # 44.1 kHz, 5.1
        ("17805dc010", "1190"),  # 48 kHz, stereo, the rate as a number
        ("2b920800", "1390"),  # HE-AAC: the AAC inside it, at half the rate
    ],
)
def test_adts_headers(config: str, heard: str) -> None:
    """FFmpeg reads from the header what the configuration said."""
    data = Adts(bytes.fromhex(config)).header(200) + bytes(200)
    (packet,) = av.BitStreamFilterContext("aac_adtstoasc", "aac").filter(av.Packet(data))
    assert packet.size == 200
    assert bytes(packet.get_sidedata("new_extradata")).hex() == heard


@pytest.mark.parametrize("config", ["1180", "b98c0000", "17800000000000"])
def test_what_adts_cannot_say(config: str) -> None:
    """Channels in a program config, a rate outside the table, another object type."""
    with pytest.raises(rw.UnsupportedError, match="ADTS cannot carry"):
        Adts(bytes.fromhex(config))
    with pytest.raises(rw.UnsupportedError, match="too large"):
        Adts(bytes.fromhex("1190")).header(8200)


def test_the_split_loses_no_byte_of_a_unit() -> None:
    units = [b"\x67\x01\x00\x00\x03\x01", b"\x68\x02", b"\x65\x00\x00\x03\x00\x80"]
    stream = b"\0\0\0\1" + units[0] + b"\0\0\1" + units[1] + b"\0\0\0\0\1" + units[2] + b"\0\0"
    assert nal.split(stream) == units
    assert nal.split(b"") == []
    assert nal.prefixed(units) == b"".join(bytes((0, 0, 0, len(unit))) + unit for unit in units)
    assert nal.configuration("h264", [units[0]]) is None


ANY_UNIT = strategies.binary(min_size=1, max_size=40)


@hypothesis.given(
    strategies.lists(ANY_UNIT.filter(lambda unit: unit[-1] and b"\0\0\1" not in b"\0\0" + unit), max_size=6)
)
def test_units_come_back_from_both_forms(units: list[bytes]) -> None:
    units = [unit for unit in units if not unit.startswith((b"\1", b"\0"))]
    assert nal.split(b"".join(b"\0\0\0\1" + unit for unit in units)) == units
    assert b"".join(probe.prefixed(nal.prefixed(units), 4)) == b"".join(units)


@hypothesis.given(strategies.sampled_from(["h264", "hevc"]), strategies.lists(ANY_UNIT, max_size=6))
def test_a_damaged_parameter_set_makes_a_record_or_none(codec: str, rest: list[bytes]) -> None:
    """Whatever the bits say, the record lists the sets that were there."""
    kinds = [b"\x67", b"\x68"] if codec == "h264" else [b"\x40\1", b"\x42\1", b"\x44\1"]
    units = [kind + unit for kind, unit in zip(kinds, rest, strict=False)]
    record = nal.configuration(codec, units)
    if record is not None:
        assert sets_of(codec, record) == units


def test_more_sets_than_a_record_can_count() -> None:
    sets = [b"\x67\x42\0\x0a" + bytes((n + 1,)) for n in range(40)]
    with pytest.raises(rw.FormatError, match="more or larger parameter sets"):
        nal.configuration("h264", [*sets, b"\x68\xce"])


@hypothesis.given(strategies.binary(max_size=8))
def test_a_damaged_configuration_is_refused_or_heard(config: bytes) -> None:
    with contextlib.suppress(rw.UnsupportedError):
        header = Adts(config).header(100)
        assert header[:2] == b"\xff\xf1"
        (packet,) = av.BitStreamFilterContext("aac_adtstoasc", "aac").filter(av.Packet(header + bytes(100)))
        assert packet.size == 100
