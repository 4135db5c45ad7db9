"""Every kind of element is found, and is what its filter, its options and its choices can be."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import av
import pytest

import reelway as rw
from reelway import catalog, elements
from reelway.elements import ElementKind, Property
from reelway.elements.table import _TABLES, _registered
from reelway.graph.option import declared

HERE = [elements.find(name) for name in elements.names() if name not in _registered]  # what programs declare
PRESENT = [kind for kind in HERE if kind.role != "missing"]
PLACES = {"bytesource": "src", "bytesink": "dst", "demux": "src", "live": "src", "mux": "dst"}
"""Filters that must be told where, with the option that says it."""


def made(kind: ElementKind, tmp_path: Path, **properties: Any) -> rw.Filter:
    """The filter of `kind`, somewhere to read and write where it has to be told."""
    options = kind.filter_options(properties)
    place = PLACES.get(kind.filter)
    if place is not None and not options.get(place):
        options[place] = str(tmp_path / "file.mp4")
    return catalog.find(kind.filter)(**options)


def everything(kind: ElementKind) -> tuple[Property, ...]:
    return (*kind.properties, *kind.pad_properties)


@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.name)
def test_it_says_what_it_is(kind: ElementKind) -> None:
    assert elements.find(kind.name) is kind
    assert kind.help
    assert bool(kind.instead) == (kind.role == "missing")
    names = [each.name for each in kind.properties]
    assert sorted(set(names)) == sorted(names)
    for each in everything(kind):
        assert each.help or each.ignored, f"{each.name} says nothing"
        assert not (each.ignored and each.option), f"{each.name} is ignored and has an option"


@pytest.mark.parametrize("kind", PRESENT, ids=lambda kind: kind.name)
def test_its_filter_takes_its_defaults(kind: ElementKind, tmp_path: Path) -> None:
    filter = made(kind, tmp_path)
    assert isinstance(filter, catalog.find(kind.filter))


@pytest.mark.parametrize("kind", PRESENT, ids=lambda kind: kind.name)
def test_its_options_are_there(kind: ElementKind, tmp_path: Path) -> None:
    filter = made(kind, tmp_path)
    known = declared(type(filter))
    aliases = {alias for item in known.values() for alias in item.aliases}

    def has(option: str) -> bool:
        return option in known or option in aliases or filter.accepts_option(option)

    named = [each.option for each in kind.properties if each.option]
    named += [*kind.options, *kind.caps_options.values()]
    named += [option for option in (kind.pad_option, kind.count_option) if option]
    if kind.derive is not None:
        named += kind.derive(kind.fitted({}))
    assert [option for option in named if not has(option)] == []


@pytest.mark.parametrize("kind", PRESENT, ids=lambda kind: kind.name)
def test_its_defaults_fit(kind: ElementKind) -> None:
    for each in everything(kind):
        if each.default is None:
            continue
        assert each.fit(each.default) == each.default, each.name
        if each.kind in (int, float, bool) and not each.choices:
            assert each.fit(str(each.default)) == each.default, each.name


@pytest.mark.parametrize("kind", PRESENT, ids=lambda kind: kind.name)
def test_every_choice_is_taken_by_nick_and_by_number(kind: ElementKind, tmp_path: Path) -> None:
    for each in kind.properties:
        nicks = [choice.nick for choice in each.choices]
        for choice in each.choices:
            assert each.fit(choice.nick) == choice.nick
            if choice.number and not each.flags and str(choice.number) not in nicks:
                assert each.fit(str(choice.number)) == choice.nick
            if each.option and kind.filter != "videosink":
                made(kind, tmp_path, **{each.name: choice.nick})


@pytest.mark.parametrize("kind", PRESENT, ids=lambda kind: kind.name)
def test_both_ends_of_every_range_are_taken(kind: ElementKind, tmp_path: Path) -> None:
    for each in kind.properties:
        for end in (each.low, each.high):
            if end is not None and each.option and each.writable:
                made(kind, tmp_path, **{each.name: each.kind(end)})


def test_no_name_stands_twice() -> None:
    said = [kind.name for table in _TABLES for kind in import_module(f"reelway.elements.{table}").KINDS]
    others = set(_registered)  # tests of programs that declare their own ran in this process
    assert sorted(said) == [name for name in elements.names() if name not in others]


@pytest.mark.parametrize("kind", [kind for kind in PRESENT if kind.format], ids=lambda kind: kind.name)
def test_its_format_is_one_of_ffmpeg(kind: ElementKind) -> None:
    writes = kind.role in ("closer", "destination")
    assert av.ContainerFormat(kind.format, "w" if writes else "r").name


@pytest.mark.parametrize(
    "kind", [kind for kind in PRESENT if kind.filter == "encode"], ids=lambda kind: kind.name
)
def test_its_encoder_takes_the_defaults(kind: ElementKind) -> None:
    filter = catalog.find("encode")(**kind.filter_options({}))
    filter.check("audio" if "Audio" in kind.klass else "video")  # type: ignore[attr-defined]


def test_an_unknown_name_gets_near_ones() -> None:
    with pytest.raises(rw.UnknownNameError) as caught:
        elements.find("videotestscr")
    assert "videotestsrc" in caught.value.near


def test_what_is_missing_says_what_to_use() -> None:
    assert elements.find("theoraenc").instead.startswith("vp8enc")


def test_an_unknown_property_gets_near_ones() -> None:
    with pytest.raises(rw.UnknownNameError, match="no property of x264enc is named 'bitrat'") as caught:
        elements.find("x264enc").filter_options({"bitrat": 1})
    assert caught.value.near == ["bitrate"]


@pytest.mark.parametrize(
    ("name", "values", "message", "hint"),
    [
        (
            "x264enc",
            {"bitrate": "fast"},
            "bitrate=fast is no integer",
            "bitrate (integer, 1 to 2048000 kbit/s",
        ),
        ("x264enc", {"bitrate": "0"}, "bitrate=0 is out of range", "1 to 2048000"),
        ("x264enc", {"tune": "zerolatensy"}, "tune has no value 'zerolatensy'", "did you mean zerolatency?"),
        ("videotestsrc", {"pattern": "99"}, "pattern has no value '99'", "smpte"),
        ("volume", {"volume": "loud"}, "volume=loud is no number", "0.0 to 10.0"),
        ("valve", {"drop": "perhaps"}, "drop=perhaps is no boolean", "drop (boolean"),
    ],
)
def test_a_wrong_value_says_what_would_fit(
    name: str, values: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(rw.OptionError) as caught:
        elements.find(name).filter_options(values)
    assert str(caught.value) == message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("x264enc", {"bitrate": "500"}, {"bitrate": 500_000, "maxrate": 500_000, "bufsize": 300_000}),
        ("x264enc", {"tune": "zerolatency+fastdecode"}, {"tune": "zerolatency,fastdecode"}),
        ("x264enc", {"tune": "0x4", "psy-tune": "film"}, {"tune": "film,zerolatency"}),
        ("x264enc", {"speed-preset": "1"}, {"preset": "ultrafast"}),
        ("x264enc", {"pass": "quant", "quantizer": "30"}, {"qp": 30}),
        ("x264enc", {"key-int-max": 30}, {"gop": 30}),
        ("x265enc", {}, {"bitrate": 2_048_000}),
        (
            "vp8enc",
            {"target-bitrate": 1_000_000, "deadline": 1},
            {"bitrate": 1_000_000, "deadline": "realtime"},
        ),
        ("lamemp3enc", {"target": "bitrate", "bitrate": 192, "cbr": "true"}, {"bitrate": 192_000}),
        ("voaacenc", {}, {"bitrate": 128_000}),
        ("opusenc", {}, {"bitrate": 64_000, "vbr": "constrained", "application": "audio"}),
        ("queue", {"max-size-time": "500000000", "leaky": 2}, {"max_s": 0.5, "leaky": "downstream"}),
        ("videoflip", {"method": "clockwise"}, {"mode": "none", "rotate": 90}),
        ("videoflip", {"video-direction": "horiz"}, {"mode": "horizontal", "rotate": 0}),
        ("audiotestsrc", {}, {"volume": 0.8, "sample_rate": 44100, "channels": 1, "samples": 1024}),
        ("videotestsrc", {}, {"size": "320x240", "fps": "30/1", "counter": False, "pattern": "smpte-full"}),
        (
            "videotestsrc",
            {"pattern": "solid-color", "foreground-color": "0xffff0000"},
            {"color": "#ff0000ff"},
        ),
        ("videotestsrc", {"num-buffers": "100"}, {"frames": 100}),
        ("mp4mux", {"fragment-duration": 500, "faststart": "true"}, {"fragment_s": 0.5}),
        ("textoverlay", {"text": "hi", "font-desc": "Sans, 24"}, {"content": "hi", "font_size": 32}),
        ("timeoverlay", {}, {"content": "{time}", "position": "top-left", "x": 25, "y": 25}),
        ("gdkpixbufoverlay", {"offset-x": -10}, {"position": "top-right", "x": 10}),
        ("udpsink", {"host": "10.0.0.1", "port": 9}, {"dst": "udp://10.0.0.1:9"}),
        ("rtpsink", {"uri": "rtp://10.0.0.1:8?ttl=3"}, {"dst": "rtp://10.0.0.1:8?ttl=3"}),
        ("fdsink", {"fd": 3}, {"dst": 3}),
        ("rtspsrc", {"protocols": "tcp"}, {"transport": "tcp"}),
        ("rtspsrc", {"protocols": "tcp+udp"}, {"transport": "udp+tcp"}),
        ("input-selector", {"active-pad": "sink_2"}, {"active": 2}),
        ("multifilesrc", {"index": 3, "caps": "image/png,framerate=5/1"}, {"first": 3, "fps": "5/1"}),
    ],
)
def test_values_become_what_the_filter_means(
    name: str, values: dict[str, Any], expected: dict[str, Any]
) -> None:
    options = elements.find(name).filter_options(values)
    assert {option: options.get(option) for option in expected} == expected


@pytest.mark.parametrize(
    ("name", "values", "gone"),
    [
        ("x264enc", {"pass": "qual"}, "bitrate"),
        ("x264enc", {}, "tune"),
        ("x264enc", {}, "gop"),
        ("lamemp3enc", {}, "bitrate"),
        ("videotestsrc", {}, "frames"),
        ("rtspsrc", {}, "transport"),
    ],
)
def test_what_is_not_asked_for_stays_as_the_filter_has_it(
    name: str, values: dict[str, Any], gone: str
) -> None:
    assert gone not in elements.find(name).filter_options(values)


@pytest.mark.parametrize(
    ("name", "values", "url"),
    [
        ("filesrc", {"location": "film.mp4"}, "film.mp4"),
        ("fdsrc", {"fd": 5}, "pipe:5"),
        ("uridecodebin", {"uri": "file:///film.mp4"}, "file:///film.mp4"),
        ("udpsrc", {"port": 1234}, "udp://0.0.0.0:1234"),
        ("udpsrc", {"uri": "udp://239.0.0.1:5000"}, "udp://239.0.0.1:5000"),
        ("tcpclientsrc", {"host": "::1", "port": 5}, "tcp://[::1]:5"),
        (
            "rtspsrc",
            {"location": "rtsp://host/1", "user-id": "me", "user-pw": "q7xa@q7xb"},
            "rtsp://me:q7xa%40q7xb@host/1",
        ),
        ("rtspsrc", {"location": "rtsp://you:q7xc@host/1", "user-id": "me"}, "rtsp://you:q7xc@host/1"),
        ("filesink", {"location": "out.mp4"}, "out.mp4"),
        ("udpsink", {}, "udp://localhost:5004?pkt_size=1316"),
        ("rtmpsink", {"location": "rtmp://host/live"}, "rtmp://host/live"),
        ("v4l2src", {}, "/dev/video0"),
    ],
)
def test_places_are_addresses(name: str, values: dict[str, Any], url: str) -> None:
    kind = elements.find(name)
    assert kind.url is not None
    assert kind.url(kind.fitted(values)) == url


def test_sinks_keep_time_as_gstreamer_has_it() -> None:
    synced = {
        name: elements.find(name).find("sync").default
        for name in ("autovideosink", "xvimagesink", "autoaudiosink", "appsink", "fakesink", "filesink")
    }
    assert synced == {
        "autovideosink": True,
        "xvimagesink": True,
        "autoaudiosink": True,
        "appsink": True,
        "fakesink": False,
        "filesink": False,
    }


def test_an_underscore_is_as_good_as_a_hyphen() -> None:
    assert elements.find("queue").filter_options({"max_size_buffers": 7})["max_packets"] == 7
