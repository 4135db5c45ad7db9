"""testvideo: the right colours in every format, exact times, and a counter that survives coding."""

from __future__ import annotations

import io
import random
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

import reelway as rw
from reelway.filters.patterns import still
from reelway.filters.testvideo import PATTERNS
from reelway.testing.burnin import code_height, draw_code, read_counter
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import Collect
from tests.conftest import count

FORMATS = ["yuv420p", "yuv422p", "yuv444p", "nv12", "gray", "rgb24", "bgr24", "rgba", "yuv420p10le", "gbrp"]


def made(text: str = "testvideo", **options: Any) -> Collect:
    """What a source sends."""
    with rw.Session() as session:
        sink = Collect()
        session.load(text, **options) >> session.add(sink)
        session.run()
    return sink


def as_rgb(packet: rw.Packet, properties: dict[str, Any]) -> np.ndarray:
    """The picture as FFmpeg converts it."""
    size = properties["Width"], properties["Height"]
    frame = av.VideoFrame(*size, properties["PixelFormat"])
    for plane, data in zip(frame.planes, packet.planes(), strict=True):
        lines = np.ascontiguousarray(data).view(np.uint8).reshape(data.shape[0], -1)
        padded = np.zeros((lines.shape[0], plane.line_size), np.uint8)
        padded[:, : lines.shape[1]] = lines
        plane.update(padded)
    matrix = {"bt709": "ITU709", "smpte170m": "ITU601"}.get(properties.get("ColorMatrix", ""), "ITU601")
    full = "JPEG" if properties["FullRange"] else "MPEG"
    return frame.reformat(
        format="rgb24", src_colorspace=matrix, src_color_range=full, dst_color_range="JPEG"
    ).to_ndarray()


@pytest.mark.parametrize("size", ["320x240", "1280x720"])
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_bars_have_their_colours(pixel_format: str, size: str) -> None:
    seen = made(frames=1, pixel_format=pixel_format, size=size, counter=False).only
    picture = as_rgb(seen.packets[0], seen.properties)
    height, width = picture.shape[:2]
    bars = [
        (192, 192, 192),
        (192, 192, 0),
        (0, 192, 192),
        (0, 192, 0),
        (192, 0, 192),
        (192, 0, 0),
        (0, 0, 192),
    ]
    for at, wanted in enumerate(bars):
        got = picture[height // 4, (2 * at + 1) * width // 14].astype(int)
        if pixel_format == "gray":
            luma = np.dot(wanted, (0.299, 0.587, 0.114))
            assert abs(got - luma).max() <= 2
        else:
            assert abs(got - wanted).max() <= 3, (at, got)
    white = picture[-2, width * 7 // 28]
    assert abs(white.astype(int) - 255).max() <= 2


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_is_another_picture_with_the_counter(pattern: str) -> None:
    seen = made(frames=3, pattern=pattern, size="320x240", fps="30000/1001", color="#3366cc").only
    assert [read_counter(packet) for packet in seen.packets] == [(0, 0), (1, 33), (2, 67)]
    if pattern == "solid":
        assert abs(as_rgb(seen.packets[0], seen.properties)[-1, -1].astype(int) - (51, 102, 204)).max() <= 3
    if pattern in ("ball", "snow"):
        first, second = (packet.planes()[0][100:] for packet in seen.packets[:2])
        assert (first != second).any()


def test_snow_is_seeded() -> None:
    one, same, other = (made(frames=2, pattern="snow", size="64x48", seed=n) for n in (1, 1, 2))
    assert [bytes(p.data) for p in one.only.packets] == [bytes(p.data) for p in same.only.packets]
    assert bytes(one.only.packets[0].data) != bytes(other.only.packets[0].data)


def test_times_are_exact() -> None:
    seen = made(duration=2, fps="30000/1001", size="64x48").only
    assert seen.properties["Timescale"] == 30000
    assert seen.properties["FPS"] == Fraction(30000, 1001)
    assert [packet.dts for packet in seen.packets] == [n * 1001 for n in range(60)]
    assert {(packet.duration, packet.sap, packet.cts == packet.dts) for packet in seen.packets} == {
        (1001, 1, True)
    }
    assert seen.properties["NumFrames"] == 60


def test_live_pictures_come_in_real_time() -> None:
    times: list[float] = []
    with rw.Session(clock=VirtualClock()) as session:
        source = session.load("testvideo:live:frames=50:size=64x48")
        source >> session.load("call", function=lambda packet: times.append(source.context.now()))
        session.run()
    assert times == pytest.approx([n / 25 for n in range(50)])


def test_a_part_of_it_is_played() -> None:
    with rw.Session() as session:
        session.load("avgen:duration=10:size=64x48:fps=30:sample_rate=8000") >> session.add(sink := Collect())
        session.link()
        session.play(2.3, 4.1)
        session.run()
    pictures, sound = sink.seen["video"], sink.seen["audio"]
    assert [(read_counter(packet) or (0, 0))[0] for packet in pictures.packets] == list(range(69, 123))
    assert pictures.packets[0].dts == 69
    assert (sound.packets[0].dts, sound.ended) == (18400, True)
    assert sum(packet.duration or 0 for packet in sound.packets) == 1.8 * 8000


def test_it_goes_on_from_another_place_while_it_runs() -> None:
    class Jump(Collect):
        """Seeks once, after its third picture."""

        def process(self) -> float | None:
            super().process()
            if len(self.only.packets) >= 3 and not self.jumped:
                self.jumped = True
                self.ipids[0].send_event(rw.events.Seek(time_s=3.6))
            return None

        jumped = False

    with rw.Session(limits=rw.Limits(packets=1)) as session:
        session.load("testvideo:frames=100:size=64x48") >> session.add(sink := Jump())
        session.run()
    at = sink.only.log.index("restart")
    assert [entry[0] for entry in sink.only.log[at + 1 : -1]] == list(range(90, 100))
    assert at < 10


def test_nonsense_is_refused() -> None:
    for options, text in (
        ({"pattern": "smtpe"}, "did you mean 'smpte'"),
        ({"color": "rde"}, "'rde' is no colour"),
        ({"size": "16x16"}, "too small for the counter"),
        ({"fps": 0}, "out of range"),
        ({"pixel_format": "yuyv422"}, "cannot be drawn into"),
    ):
        with pytest.raises(rw.ReelwayError) as caught:
            made(frames=1, **{"pattern": "solid", **options})
        assert text in f"{caught.value} {caught.value.hint}"


# The counter


def picture_of(number: int, time_ms: int, width: int, height: int) -> np.ndarray:
    picture = np.full((height, width), 128, np.uint8)
    picture[: code_height(height)] = draw_code(width, height, number, time_ms)
    return picture


def test_thousands_of_numbers_come_back() -> None:
    draw = random.Random(1)
    for _ in range(count(20000)):
        number, time_ms = draw.randrange(1 << 32), draw.randrange(1 << 40)
        size = draw.choice([(32, 20), (64, 48), (333, 211), (320, 240)])
        assert read_counter(picture_of(number, time_ms, *size)) == (number, time_ms)


def test_noise_is_no_number() -> None:
    noise = np.random.default_rng(7)
    for _ in range(count(2000)):
        assert read_counter(noise.integers(0, 256, (120, 160), np.uint8)) is None
    for level in (0, 16, 128, 255):
        assert read_counter(np.full((240, 320), level, np.uint8)) is None
    assert read_counter(np.zeros((4, 4), np.uint8)) is None
    damaged = picture_of(77, 5, 320, 240)
    damaged[12:24, 100:110] = 255 - damaged[12:24, 100:110]  # one block
    assert read_counter(damaged) is None


def test_a_noisy_picture_still_tells_its_number() -> None:
    noise = np.random.default_rng(3)
    for number in range(count(1000)):
        noisy = picture_of(number, 40 * number, 320, 240) + noise.normal(0, 60, (240, 320))
        assert read_counter(np.clip(noisy, 0, 255).astype(np.uint8)) == (number, 40 * number)


@pytest.mark.parametrize(
    ("codec", "options", "size"),
    [
        ("libx264", {"crf": "40", "preset": "ultrafast"}, "320x240"),
        ("libx264", {"crf": "35", "preset": "veryfast"}, "640x360"),
        ("mpeg2video", {"b": "300k"}, "320x240"),
        ("mpeg4", {"q": "20"}, "352x288"),
    ],
)
@pytest.mark.parametrize("pattern", ["snow", "ball"])
def test_the_counter_survives_coding_and_half_the_size(
    codec: str, options: dict[str, str], size: str, pattern: str
) -> None:
    total = count(500)
    seen = made(frames=total, pattern=pattern, size=size).only
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, 25, options)
        stream.width, stream.height, stream.pix_fmt = (
            seen.properties["Width"],
            seen.properties["Height"],
            "yuv420p",
        )
        for packet in seen.packets:
            frame = av.VideoFrame.from_ndarray(packet.array(), "yuv420p")
            frame.pts = packet.cts
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        got, small = [], []
        for frame in container.decode(video=0):
            got.append(read_counter(frame.to_ndarray(format="gray")))
            half = frame.reformat(frame.width // 2, frame.height // 2, "rgb24")
            small.append(read_counter(half.to_ndarray()))
    wanted = [(n, 40 * n) for n in range(total)]
    assert got == wanted
    assert small == wanted


def frames_of(text: str, change: dict[int, tuple[str, str]] | None = None) -> list[rw.Packet]:
    """What a test source sends; `change`: an option and its new value, when the packet at a time passes."""
    seen: list[rw.Packet] = []
    with rw.Session(limits=rw.Limits(packets=1)) as session:
        source = session.load(text)

        def look(packet: rw.Packet) -> None:
            seen.append(packet)
            if change and packet.dts in change:
                source.update(*change[packet.dts])

        source >> session.load("call", function=look)
        session.run()
    return seen


def test_bars_of_full_and_of_three_quarters_brightness() -> None:
    for pattern, level in (("smpte100", 255), ("smpte75", 191)):
        (packet,) = frames_of(f"testvideo:frames=1:size=70x8:counter=no:pixel_format=rgb24:pattern={pattern}")
        colours = packet.array()[:, 5::10]
        assert (colours == colours[0]).all()
        expected = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1)]
        assert (colours[0] == np.array(expected) * level).all()


@pytest.mark.parametrize("side", [1, 2, 4, 8])
def test_fields_of_so_many_pixels(side: int) -> None:
    text = f"testvideo:frames=1:size=64x48:counter=no:pixel_format=rgb24:pattern=checkers{side}"
    picture = frames_of(text)[0].array()
    lines, columns = np.indices((48, 64)) // side
    odd = (lines + columns) % 2 == 1
    assert (picture[odd] == (0, 255, 0)).all()
    assert (picture[~odd] == (255, 0, 0)).all()


def test_a_ramp_and_a_bar() -> None:
    base = "testvideo:frames=1:size=70x48:counter=no:pixel_format=gray:pattern="
    ramp = frames_of(base + "ramp")[0].planes()[0]
    assert (ramp == ramp[:, :1]).all()
    assert (np.diff(ramp[:, 0].astype(int)) > 0).all()
    assert (ramp[0, 0], ramp[-1, 0]) == (0, 249)
    bar = frames_of(base + "bar")[0].planes()[0]
    assert (bar[:, :10] == 255).all()
    assert (bar[:, 10:] == 0).all()


def test_it_blinks() -> None:
    packets = frames_of("testvideo:frames=4:size=64x48:counter=no:pixel_format=gray:pattern=blink")
    assert [int(packet.planes()[0].max()) for packet in packets] == [0, 255, 0, 255]


@pytest.mark.parametrize("pattern", ["circular", "pinwheel", "spokes", "colors"])
def test_pictures_to_look_at_are_no_plain_ones(pattern: str) -> None:
    (packet,) = frames_of(f"testvideo:frames=1:size=64x48:counter=no:pixel_format=rgb24:pattern={pattern}")
    assert packet.array().std() > 40


def test_a_pattern_that_blinks_comes_while_it_runs() -> None:
    text = "testvideo:frames=10:size=64x48:counter=no:pixel_format=gray:pattern=black"
    lit = [int(packet.planes()[0].max()) == 255 for packet in frames_of(text, {3: ("pattern", "blink")})]
    assert not any(lit[:4])
    assert any(lit[4:])


def test_full_bars_are_those_of_a_test_source_in_a_pipeline() -> None:
    picture = still("smpte-full", 320, 240, (0, 0, 0, 255))[..., :3]
    across = [22, 68, 114, 160, 205, 251, 297]  # the middle of each of the seven bars
    white, yellow, cyan, green, magenta, red, blue = (
        (255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255),
    )  # fmt: skip
    black = (0, 0, 0)
    assert [tuple(picture[80, x]) for x in across] == [white, yellow, cyan, green, magenta, red, blue]
    assert [tuple(picture[170, x]) for x in across] == [blue, black, magenta, black, cyan, black, white]
    assert [tuple(picture[210, x]) for x in (20, 80, 130, 170, 230)] == [
        (0, 0, 128), white, (0, 128, 255), black, (19, 19, 19),
    ]  # fmt: skip
    snow = picture[180:, 240:]
    assert (snow == snow[..., :1]).all()
    assert snow.std() > 60
