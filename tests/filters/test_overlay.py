"""text and picture: blended as a compositor would, in each format's own samples, into no shared memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import reelway as rw
from reelway.filters.overlay import Picture, Text
from reelway.filters.simple import Call
from reelway.filters.testvideo import TestVideo
from reelway.testing.parts import Collect, Feed, fingerprint
from tests.filters.raw import noise, picture_properties, through
from tests.filters.test_testvideo import as_rgb

FORMATS = [
    "yuv420p",
    "yuv444p",
    "nv12",
    "gray",
    "rgb24",
    "bgr24",
    "rgba",
    "yuv420p10le",
    "p010le",
    "gbrpf32le",
]


def shown(overlay: rw.Filter, **options: Any) -> tuple[list[rw.Packet], dict[str, Any]]:
    sink = Collect()
    with rw.Session() as session:
        source = session.add(
            TestVideo(**{"counter": False, "pattern": "solid", "size": "64x48", "frames": 2, **options})
        )
        source >> session.add(overlay) >> session.add(sink)
        session.run()
    return sink.only.packets, sink.only.properties


def badge(alpha: int = 255) -> np.ndarray:
    image = np.zeros((16, 16, 4), np.uint8)
    image[:, :8] = (255, 40, 20, alpha)
    image[:, 8:] = (20, 60, 240, alpha)
    return image


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("alpha", [255, 128])
def test_a_picture_is_blended_in_the_right_colours(format: str, alpha: int) -> None:
    packets, properties = shown(
        Picture(image=badge(alpha), x=8, y=8), pixel_format=format, color="#60a040", matrix=""
    )
    if format == "gbrpf32le":
        g, b, r = packets[0].planes()
        picture = np.rint(255 * np.stack([r, g, b], axis=-1))
    else:
        picture = as_rgb(packets[0], properties).astype(float)
    share = alpha / 255
    for left, colour in ((8, (255, 40, 20)), (16, (20, 60, 240))):
        inside = picture[10:22, left + 2 : left + 6].reshape(-1, 3)
        wanted = share * np.array(colour) + (1 - share) * np.array((0x60, 0xA0, 0x40))
        if format == "gray":
            wanted = np.repeat(np.dot(wanted, (0.299, 0.587, 0.114)), 3)
        assert np.abs(inside - wanted).max() <= 4, (inside[0], wanted)
    outside = picture[30:, 30:].reshape(-1, 3)
    assert np.abs(outside - outside[0]).max() == 0


def test_what_is_transparent_leaves_no_trace() -> None:
    """Not even in chroma samples that it shares with what is seen."""
    image = np.zeros((15, 15, 4), np.uint8)
    image[..., :3] = 255
    image[5:10, 5:10] = (255, 255, 255, 255)
    image[:5, :, :3] = (255, 0, 0)  # invisible red
    packets, _ = shown(Picture(image=image, x=3, y=3), color="white")
    luma, u, v = packets[0].planes()
    assert set(luma.ravel()) == {235}
    assert set(u.ravel()) | set(v.ravel()) <= {127, 128, 129}


@pytest.mark.parametrize(("x", "y"), [(-8, -8), (60, 44), (-100, 0), (63, 47), (3, 5)])
@pytest.mark.parametrize("format", ["yuv420p", "rgb24"])
def test_what_lies_outside_is_cut_off(x: int, y: int, format: str) -> None:
    packets, properties = shown(Picture(image=badge(), x=x, y=y), color="black", pixel_format=format)
    picture = as_rgb(packets[0], properties)
    wanted = np.zeros((48, 64, 3))
    for line in range(16):
        for column in range(16):
            if 0 <= y + line < 48 and 0 <= x + column < 64:
                wanted[y + line, x + column] = badge()[line, column, :3]
    assert (np.abs(picture - wanted).max(axis=2) > 60).mean() < (
        0.06 if format == "yuv420p" else 0.001
    )  # chroma smears


@pytest.mark.parametrize(
    ("position", "place"),
    [("top-left", (2, 3)), ("bottom-right", (46, 29)), ("middle-center", (26, 19)), ("top-right", (46, 3))],
)
def test_positions(position: str, place: tuple[int, int]) -> None:
    packets, _ = shown(
        Picture(image=badge(), position=position, x=2, y=3), pixel_format="gray", color="white"
    )
    lines, columns = np.nonzero(packets[0].planes()[0] < 250)
    assert (columns.min(), lines.min()) == place


def test_files_are_read_and_scaled(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(badge()).save(tmp_path / "logo.png")
    packets, _ = shown(
        Picture(image=str(tmp_path / "logo.png"), width=32, opacity=0.5), pixel_format="rgb24", color="black"
    )
    picture = packets[0].array()
    assert abs(picture[16, 4].astype(int) - (128, 20, 10)).max() <= 2
    assert not picture[33:].any()
    with pytest.raises(rw.ReelwayError, match=r"nothing.png cannot be read"):
        shown(Picture(image=str(tmp_path / "nothing.png")))
    with pytest.raises(rw.OptionError, match=r"\(3, 3\) of float64"):
        Picture(image=np.zeros((3, 3)))


def test_nobody_else_sees_the_overlay() -> None:
    packets, properties = noise("yuv420p", 64, 48), picture_properties("yuv420p", 64, 48)
    before = [fingerprint(packet) for packet in packets]
    seen = through(packets, properties, Picture(image=badge()))
    assert [fingerprint(packet) for packet in packets] == before
    assert [fingerprint(packet) for packet in seen.packets] != before
    flat = noise("yuv420p", 64, 48, as_bytes=True)
    again = through(flat, properties, Picture(image=badge()))
    assert [bytes(p.data) for p in again.packets] == [bytes(p.data) for p in seen.packets]


def test_text_shows_time_and_number() -> None:
    written: list[str] = []

    class Listening(Text):
        def _rendered(self, text: str) -> Any:
            written.append(text)
            return super()._rendered(text)

    packets, _ = shown(
        Listening(text="{frame} {time}"), size="320x240", frames=3, pixel_format="gray", color="black"
    )
    assert written == ["0 00:00:00.000", "1 00:00:00.040", "2 00:00:00.080"]
    for packet in packets:
        lines, columns = np.nonzero(packet.planes()[0] > 200)
        assert 14 <= columns.min() <= 20
        assert 14 <= lines.min() <= 20
        assert 10 < np.ptp(lines) < 30


def test_text_that_stays_is_drawn_once() -> None:
    count = 0

    class Listening(Text):
        def _rendered(self, text: str) -> Any:
            nonlocal count
            count += 1
            return super()._rendered(text)

    packets, _ = shown(
        Listening(text="a\\nbc", color="red", box="#0000ff", position="middle-center", x=0, y=0),
        size="320x240",
        frames=5,
        pixel_format="rgb24",
        color="black",
    )
    assert count == 1
    picture = packets[-1].array()
    lines, columns = np.nonzero(picture[..., 2] > 200)
    assert abs((lines.min() + lines.max()) / 2 - 120) <= 1
    assert abs((columns.min() + columns.max()) / 2 - 160) <= 1
    assert ((picture[..., 0] > 200) & (picture[..., 2] < 60)).sum() > 50  # letters of red
    assert np.ptp(lines) > 40  # two lines


def test_each_stream_counts_its_own_pictures() -> None:
    written: list[tuple[str, str]] = []

    class Listening(Text):
        def _written(self, packet: rw.Packet, pid: rw.Link) -> str:
            written.append((pid.name, super()._written(packet, pid)))
            return written[-1][1]

    size = picture_properties("gray", 64, 48)
    streams = {name: noise("gray", 64, 48, count=3) for name in ("one", "two")}
    with rw.Session() as session:
        (
            session.add(Feed(streams, properties=size))
            >> session.add(Listening(text="{frame}"))
            >> session.add(Collect())
        )
        session.run()
    for name in streams:
        assert [text for each, text in written if each == name] == ["0", "1", "2"]


def test_a_font_is_loaded_once_however_the_text_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFont

    load, loaded = ImageFont.load_default, []
    monkeypatch.setattr(ImageFont, "load_default", lambda size: loaded.append(size) or load(size))
    overlay = Text(text="{frame}")
    count = 0

    def change(packet: rw.Packet) -> rw.Packet:
        nonlocal count
        count += 1
        if count == 5:
            overlay.update("font_size", 30)
        return packet

    properties = picture_properties("gray", 64, 48)
    through(noise("gray", 64, 48, count=8), properties, Call(function=change), overlay)
    assert loaded in ([24, 30], [30])


def test_text_changes_while_it_runs() -> None:
    overlay = Text(text="MMMM", x=0, y=0)
    count = 0

    def change(packet: rw.Packet) -> rw.Packet:
        nonlocal count
        count += 1
        if count == 3:
            overlay.update("content", "")
        return packet

    properties = picture_properties("gray", 128, 64)
    packets = [rw.Packet(bytes(128 * 64), n, n, 1, 1) for n in range(6)]
    seen = through(packets, properties, Call(function=change), overlay, limits=rw.Limits(packets=1))
    white = [int((packet.array() > 200).sum()) for packet in seen.packets]
    assert white[0] > 100
    assert white[-1] == 0


def test_a_film_with_text_can_be_encoded() -> None:
    packets, _ = shown(Text(text="Reelway"), size="320x240", frames=3)
    context = av.CodecContext.create("mpeg4", "w")
    context.width, context.height, context.pix_fmt, context.framerate = 320, 240, "yuv420p", 25
    coded = [
        p for packet in packets for p in context.encode(av.VideoFrame.from_ndarray(packet.array(), "yuv420p"))
    ]
    assert coded


def test_without_pillow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(rw.ReelwayError) as caught:
        shown(Text(text="x"))
    assert "needs Pillow" in str(caught.value)
    assert caught.value.hint == "pip install pillow"
    with pytest.raises(rw.OptionError, match="needs content"), rw.Session() as session:
        session.load("text")
