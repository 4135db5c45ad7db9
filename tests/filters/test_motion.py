"""motion: what moves, and where, and what does not; keyframes: how little of a stream it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.filters.keyframes import Keyframes
from reelway.filters.motion import Found, Motion
from reelway.filters.zones import parse_zone
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array
from reelway.testing.conformance import check_filter
from reelway.testing.parts import RESTART, Collect, Feed
from tests.filters.raw import PLANAR, noise, picture_properties
from tests.media import make

WIDTH, HEIGHT, FPS = 320, 180, 10
STREET = np.random.default_rng(1).integers(60, 180, (HEIGHT // 20, WIDTH // 20), np.uint8)
STREET = STREET.repeat(20, 0).repeat(20, 1)
"""What a camera looks at."""


def grey(pictures: Iterable[Array]) -> list[rw.Packet]:
    made = []
    for number, picture in enumerate(pictures):
        frame = MemoryFrame.picture("gray", WIDTH, HEIGHT)
        frame.planes(writable=True)[0][:] = np.clip(picture, 0, 255)
        made.append(rw.Packet(frame, number, number, 1, 1, frame.size))
    return made


def with_box(left: int, top: int, size: int = 24, light: float = 0) -> Array:
    picture = STREET.astype(np.float32) + light
    picture[top : top + size, left : left + size] = 250
    return picture


def walk(count: int = 20, top: int = 60, first: int = 5) -> list[Array]:
    """Nobody in the first pictures, then a box that goes to the right."""
    return [STREET] * first + [with_box(10 + 6 * number, top) for number in range(count)]


def watched(
    sent: list[rw.Packet] | list[Any], format: str = "gray", **options: Any
) -> tuple[list[Found], list[rw.Packet], list[dict[str, Any]]]:
    """What was told, the pictures behind the filter, and the messages."""
    found: list[Found] = []
    messages: list[dict[str, Any]] = []
    sink = Collect()
    motion = Motion(on_motion=found.append, **options)
    motion.on_message = lambda name, fields: messages.append({"name": name, **fields})
    with rw.Session() as session:
        feed = Feed(sent, properties=picture_properties(format, WIDTH, HEIGHT, FPS))
        session.add(feed) >> session.add(motion) >> session.add(sink)
        session.run()
    return found, list(sink.only.packets), messages


def test_a_box_that_moves_is_found_and_the_pictures_stay_as_they_are() -> None:
    sent = grey(walk())
    before = [bytes(packet.data) for packet in sent]
    found, packets, messages = watched(sent)
    assert [round(each.time_s * FPS) for each in found if each.moving] == list(range(6, 25))  # 2 in a row
    assert all(each.zone == 1 and 0.004 < each.score < 0.05 for each in found if each.moving)
    assert [bytes(packet.data) for packet in packets] == before
    said = [packet.properties or {} for packet in packets]
    assert [each["Motion"] > 0.004 for each in said] == [False] * 5 + [True] * 20
    assert [each.get("MotionZone") for each in said] == [None] * 6 + [1] * 19
    assert [(each["name"], each["zone"], each["moving"]) for each in messages] == [
        ("motion", 1, True),
        ("motion", 1, False),
    ]
    assert messages[0]["timestamp"] == messages[0]["running-time"] == 600_000_000


@pytest.mark.parametrize(("pattern", "moves"), [("smpte", False), ("ball", True)])
@pytest.mark.parametrize(
    "format", ["yuv420p", "nv12", "rgb24", "bgra", "gbrp", "yuv420p10le", "p010le", "gray"]
)
def test_every_format_has_its_brightness(pattern: str, moves: bool, format: str) -> None:
    found: list[Found] = []
    with rw.Session() as session:
        text = f"testvideo:frames=20:size=640x360:counter=no:pattern={pattern}:pixel_format={format}"
        session.load(text) >> session.load("motion", on_motion=found.append) >> session.load("null")
        session.run()
    assert [each.moving for each in found] == ([True] * 18 + [False] if moves else [])


def test_what_is_coded_is_decoded_for_it(tmp_path: Path) -> None:
    film = make.film(tmp_path / "film.mp4", seconds=1)
    found: list[Found] = []
    with rw.Session() as session:
        motion = session.load("motion:zones=1x0.1+0+0", on_motion=found.append)
        session.load_src(str(film)).video >> motion
        session.run()
    assert found[0].moving  # the blocks of the counter


def test_noise_is_no_motion() -> None:
    random = np.random.default_rng(3)
    noisy = [STREET + random.normal(0, 25, STREET.shape) for _ in range(60)]
    assert watched(grey(noisy))[0] == []
    assert (
        watched(grey([np.where(random.random(STREET.shape) < 0.02, 255, STREET) for _ in range(60)]))[0] == []
    )


def test_a_box_is_found_in_noise() -> None:
    random = np.random.default_rng(3)
    found, _, _ = watched(grey([picture + random.normal(0, 25, STREET.shape) for picture in walk()]))
    assert [round(each.time_s * FPS) for each in found if each.moving] == list(range(6, 25))


@pytest.mark.parametrize(
    "light",
    [
        [number * 2.0 for number in range(40)],  # the sun comes out
        [0.0] * 10 + [60.0] * 30,  # somebody switches a lamp on
    ],
    ids=["sun", "lamp"],
)
def test_light_that_changes_is_no_motion(light: list[float]) -> None:
    assert watched(grey(STREET.astype(np.float32) + each for each in light))[0] == []
    boxes = [with_box(10 + 6 * number, 60, light=each) for number, each in enumerate(light)]
    assert [each for each in watched(grey(boxes))[0] if each.moving]


def test_a_scene_that_is_another_one_is_no_motion() -> None:
    other = 255 - STREET
    found, packets, _ = watched(grey([STREET] * 10 + [other] * 10))
    assert found == []
    assert [packet.properties["Motion"] for packet in packets if packet.properties] == [0.0] * 20


@pytest.mark.parametrize(
    ("zones", "seen"),
    [
        (["1x0.3+0+0"], set()),
        (["1x0.5+0+0.25"], {1}),
        (["1x0.3+0+0", "0.5x0.5+0+0.2"], {2}),
        (["0/0-1/0-0.5/0.2"], set()),
        (["0/0-1/1-0/1"], {1}),
        (["1x1+0+0", "0.2x1+0+0"], {1, 2}),
    ],
)
def test_only_what_happens_in_a_zone_counts(zones: list[str], seen: set[int]) -> None:
    found, packets, _ = watched(grey(walk()), zones=zones)
    assert {each.zone for each in found} == seen
    assert any((packet.properties or {}).get("MotionZone") for packet in packets) == bool(seen)


def test_what_is_masked_is_not_looked_at() -> None:
    assert watched(grey(walk()), masks=["1x0.3+0+0.3"])[0] == []
    with pytest.raises(rw.OptionError, match="masks cover all of zone 2"):
        watched(grey(walk()), zones=["1x1+0+0", "0.1x0.1+0+0"], masks=["0.5x0.5+0+0"])


def test_small_things_and_small_differences_count_where_that_is_asked_for() -> None:
    small = [STREET] * 5 + [with_box(10 + 6 * number, 60, size=6) for number in range(20)]
    assert watched(grey(small), part=0.01)[0] == []
    assert watched(grey(small), part=0.0005)[0]
    faint = [picture * 0.05 + STREET * 0.95 for picture in walk()]
    assert watched(grey(faint))[0] == []
    assert watched(grey(faint), threshold=3)[0]


def test_one_picture_is_not_enough_and_a_short_rest_is_no_end() -> None:
    flash = [STREET] * 5 + [with_box(50, 60)] + [STREET] * 10
    assert watched(grey(flash))[0] == []
    assert [each.moving for each in watched(grey(flash), pictures=1, hold=0.25)[0]] == [True] * 3 + [False]
    again = [STREET] * 30 + walk(4, first=0) + [STREET] * 6 + walk(4, first=0) + [STREET] * 15
    _, _, messages = watched(grey(again))
    told = [(each["moving"], each["timestamp"] // 100_000_000) for each in messages]
    assert told == [(True, 31), (False, 53)]


def test_what_came_to_stay_is_background_some_time() -> None:
    parked = [STREET] * 5 + [with_box(50, 60)] * 60
    found, _, _ = watched(grey(parked), memory=0.5, hold=0.2)
    assert [each.moving for each in found][-1] is False
    assert found[-1].time_s < 4


def test_smeared_pictures_are_not_looked_at() -> None:
    packets = grey([STREET] * 5 + [with_box(50, 60), with_box(90, 60)] + [STREET] * 5)
    packets[5].corrupted = packets[6].corrupted = True
    found, passed, _ = watched(packets)
    assert found == []
    assert len(passed) == 12


def test_behind_a_long_gap_or_elsewhere_in_the_stream_all_is_new() -> None:
    later = grey([STREET] * 5 + [with_box(50, 60)] * 5)
    for number, packet in enumerate(later[5:]):
        packet.cts = packet.dts = 400 + number
    assert watched(later)[0] == []
    for number, packet in enumerate(later[5:]):
        packet.cts = packet.dts = number
    assert watched([*later[:5], RESTART, *later[5:]])[0] == []


def test_another_size_in_the_middle() -> None:
    larger = picture_properties("gray", 640, 360, FPS)
    pictures = noise("gray", 640, 360, count=1)
    for packet in pictures:
        packet.cts = packet.dts = 30
    _, packets, messages = watched([*grey(walk()), larger, *pictures])
    assert [each["moving"] for each in messages] == [True, False]
    assert len(packets) == 26


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("half", "is no zone"),
        ("0x1+0+0", "is no zone"),
        ("0/0-1/1", "is no zone"),
        ("0/0-1/1-x", "is no zone"),
        ("0.5x1+0.6+0", "reaches out of the picture"),
        ("0/0-1/0-1/1.5", "reaches out of the picture"),
    ],
)
def test_zones_that_are_none(text: str, said: str) -> None:
    for name in ("zones", "masks"):
        with pytest.raises(rw.OptionError, match=said):
            Motion(**{name: [text]})


def test_masks_of_zones() -> None:
    assert parse_zone("0.5x0.5+0.25+0.5").mask(4, 4).astype(int).tolist() == [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 1, 1, 0],
    ]
    assert parse_zone("0/0-1/0-0/1").mask(3, 3).astype(int).tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert parse_zone("0.01x0.01+0.99+0").mask(2, 2).tolist() == [[False, True], [False, False]]
    assert parse_zone("0.333333x1+0.666667+0").mask(1, 3).tolist() == [[False, False, True]]


@pytest.mark.parametrize("format", PLANAR)
def test_it_keeps_the_contract(format: str) -> None:
    check_filter(Motion, noise(format, 64, 48, count=6), picture_properties(format, 64, 48), max_held=0)


# keyframes


def decoded(film: Path, *between: rw.Filter) -> tuple[list[int], Any]:
    """Frame counters behind the decoder, and the figures."""
    sink = Collect()
    with rw.Session() as session:
        session.chain(
            session.load_src(str(film)), *map(session.add, between), session.load("decode:threads=1")
        )
        session["decode"].video >> session.add(sink)
        session.run()
        figures = session.statistics()
    return [make.read_counter(packet.planes()[0]) for packet in sink.only.packets], figures


def test_only_keyframes_are_decoded(tmp_path: Path) -> None:
    film = make.film(tmp_path / "film.mp4", seconds=4, gop=25, bframes=2)
    keyframes = Keyframes()
    assert decoded(film, keyframes)[0] == [0, 25, 50, 75]
    assert keyframes.dropped == 96


def test_a_keyframe_is_decoded_when_it_comes(tmp_path: Path) -> None:
    film = make.film(tmp_path / "film.mp4", seconds=3, gop=25, bframes=2, audio=0)
    order: list[str] = []

    def note(what: str) -> Callable[[rw.Packet], rw.Packet]:
        def noted(packet: rw.Packet) -> rw.Packet:
            order.append(what)
            return packet

        return noted

    with rw.Session(threads=0, limits=rw.Limits(packets=1)) as session:
        session.chain(
            session.load_src(str(film)),
            session.load("keyframes"),
            session.load("call", function=note("coded")),
            session.load("decode:threads=1"),
            session.load("call", function=note("picture")),
            session.load("null"),
        )
        session.run()
    assert order == ["coded", "picture"] * 3


def test_where_keyframes_are_rare_all_pictures_pass(tmp_path: Path) -> None:
    film = make.film(tmp_path / "film.mp4", seconds=6, gop=50, bframes=2)
    assert decoded(film, Keyframes(longest=2.0))[0] == [0, 50, 100]
    assert decoded(film, Keyframes(longest=1.9))[0] == [0, *range(50, 150)]


def test_keyframes_keeps_the_contract() -> None:
    """Where it leaves something out it restarts the stream more often than its input does."""
    raw = picture_properties("gray", 64, 48)
    sent = check_filter(Keyframes, noise("gray", 64, 48, count=9), raw, max_held=0)
    assert [len(seen.packets) for seen in sent.values()] == [9]
