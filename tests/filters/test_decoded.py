"""Filters in Python between a decoder and an encoder: on frames with gaps between lines, converted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

import reelway as rw
from reelway.filters.crop import Crop, Pad
from reelway.filters.flip import Flip
from reelway.filters.overlay import Picture
from reelway.testing.burnin import read_counter
from reelway.testing.parts import Collect
from tests.media import make, probe

FRAMES = 20


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """324 pixels wide, which is no multiple of what decoders align lines to."""
    path = tmp_path_factory.mktemp("film") / "numbered.mp4"
    with rw.Session() as session:
        source = session.load(f"avgen:frames={FRAMES}:size=324x242:pattern=ball:channels=1")
        source >> session.load_dst(str(path))
        session.run()
    return path


@pytest.fixture(scope="module")
def decoded(film: Path) -> list[np.ndarray]:
    """Its pictures as FFmpeg alone decodes them, (lines of all planes, columns)."""
    with av.open(str(film)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def luma(picture: np.ndarray) -> np.ndarray:
    return picture[:242]


def through(film: Path, *filters: rw.Filter | str) -> list[rw.Packet]:
    with rw.Session() as session:
        first: rw.Filter | None = None
        sink = Collect()
        source = session.load_src(str(film))
        for each in filters:
            filter = session.load(each) if isinstance(each, str) else session.add(each)
            (source.video if first is None else first) >> filter
            first = filter
        assert first is not None
        first >> session.add(sink)
        session.run()
    return sink.only.packets


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Crop(x=10, y=20, width=101, height=99), lambda plane: plane[20:119, 10:111]),
        (
            lambda: Pad(width=400, height=300, x=0, y=0),
            lambda plane: np.pad(plane, ((0, 58), (0, 76)), constant_values=16),
        ),
        (lambda: Flip(), lambda plane: plane[:, ::-1]),
        (lambda: Flip(rotate=90), lambda plane: np.rot90(plane, -1)),
        (lambda: Flip(mode="none"), lambda plane: plane),
    ],
    ids=["crop", "pad", "flip", "turn", "nothing"],
)
def test_decoded_pictures_are_changed_exactly(
    film: Path,
    decoded: list[np.ndarray],
    make: Callable[[], rw.Filter],
    expected: Callable[[np.ndarray], np.ndarray],
) -> None:
    packets = through(film, make())
    assert len(packets) == FRAMES
    for packet, picture in zip(packets, decoded, strict=True):
        np.testing.assert_array_equal(packet.planes()[0], expected(luma(picture)))


def test_an_overlay_spoils_no_frame_that_the_decoder_still_needs(
    film: Path, decoded: list[np.ndarray]
) -> None:
    image = np.zeros((40, 324, 4), np.uint8)
    image[..., 3] = 255
    packets = through(film, Picture(image=image, position="bottom-left"))
    for packet, picture in zip(packets, decoded, strict=True):
        np.testing.assert_array_equal(packet.planes()[0][:202], luma(picture)[:202])
        assert (packet.planes()[0][202:] == 16).all()


def test_functions_get_the_format_that_they_ask_for(film: Path) -> None:
    shapes: set[tuple[int, ...]] = set()

    @rw.video_filter(pixel_format="rgb24", writable=True)
    def red(image: np.ndarray) -> np.ndarray:
        shapes.add(image.shape)
        image[200:] = (255, 0, 0)
        return image

    @rw.video_filter(pixel_format="gray")
    def look(image: np.ndarray) -> None:
        found = read_counter(image)
        numbers.append(-1 if found is None else found[0])

    numbers: list[int] = []
    packets = through(film, red())
    assert shapes == {(242, 324, 3)}
    assert all((packet.array()[210:] == (255, 0, 0)).all() for packet in packets)
    assert [(read_counter(packet) or (-1, -1))[0] for packet in packets] == list(range(FRAMES))
    assert not through(film, look())
    assert numbers == list(range(FRAMES))


def test_a_film_goes_through_and_is_encoded_again(film: Path, tmp_path: Path) -> None:
    """Sound goes around the filters of pictures; rate, text and volume in one session."""
    target = tmp_path / "out.mp4"
    with rw.Session() as session:
        source, sink = session.load_src(str(film)), session.load_dst(str(target))
        (
            source.video
            >> session.load("rate:fps=50")
            >> session.load("text:text={time}:position=bottom-right")
            >> sink
        )
        source.audio >> session.load("volume:gain=0.5") >> sink
        session.run()
    with av.open(str(target)) as container:
        numbers = [
            (read_counter(frame.to_ndarray(format="gray")) or (-1, -1))[0]
            for frame in container.decode(video=0)
        ]
        assert len(container.streams.audio) == 1
    assert numbers == [n for n in range(FRAMES) for _ in range(2)]


def test_two_films_in_a_grid(film: Path) -> None:
    with rw.Session() as session:
        grid, sink = session.load("grid:size=648x242"), Collect()
        for _ in range(2):
            session.load_src(str(film)).video >> grid
        grid >> session.add(sink)
        session.run()
    for number, packet in enumerate(sink.only.packets):
        left, right = packet.planes()[0][:, :324], packet.planes()[0][:, 324:]
        assert read_counter(left) == read_counter(right) == (number, 40 * number)
    assert len(sink.only.packets) == FRAMES


def test_films_one_after_the_other(film: Path) -> None:
    with rw.Session() as session:
        concat, sink = session.load("concat"), Collect()
        for _ in range(2):
            session.load_src(str(film)) >> concat
        concat >> session.load("null")
        concat >> session.add(sink)
        session.run()
    video = next(seen for seen in sink.seen.values() if seen.properties["StreamType"] == "Visual")
    times = [packet.dts for packet in video.packets]
    assert len(times) == 2 * FRAMES
    assert all(b > a for a, b in pairwise(times))  # type: ignore[operator]


def test_an_application_pulls_decoded_pictures(film: Path) -> None:
    sink = rw.AppSink(pixel_format="gray", max_packets=FRAMES)
    with rw.Session() as session:
        session.load_src(str(film)).video >> session.add(sink)
        session.run()
    assert [(read_counter(packet) or (-1, -1))[0] for packet in sink] == list(range(FRAMES))


class PicturesAndSound(rw.Filter):
    """Passes raw media on, and says so of both kinds."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw"), rw.Caps(StreamType="Audio", CodecID="raw"))
    outputs = inputs

    def configure(self, pid: rw.Link) -> None:
        pid.output = self.new_pid(of=pid)

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                pid.output.send(packet)  # type: ignore[union-attr]  # made in configure()
        return None


@pytest.mark.parametrize("filter", ["decoded", PicturesAndSound])
def test_raw_pictures_and_sound_are_coded_again(
    filter: str | Callable[[], rw.Filter], tmp_path: Path
) -> None:
    result = tmp_path / "again.mp4"
    with rw.Session() as session:
        raw = session.load(filter) if isinstance(filter, str) else session.add(filter())
        session.chain(session.load_src(str(make.media("film.mp4"))), raw, session.load_dst(str(result)))
        session.run()
    with av.open(str(result)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
    assert probe.counters(result) == probe.counters(make.media("film.mp4"))


def test_what_passes_as_it_is_is_planned_so() -> None:
    with rw.Session() as session:
        raw = session.load("decoded")
        session.chain(session.load_src(str(make.media("film.mp4"))), raw, session.load("null"))
        plan = session.explain()
    ours = [stream for stream in plan.streams if stream.source is raw]
    assert [stream.properties["StreamType"] for stream in ours] == ["Visual", "Audio"]
