"""Raw frames: where samples lie, compared with FFmpeg's own planes, and who may write."""

from __future__ import annotations

import av
import numpy as np
import pytest

import reelway as rw
from reelway.media.frame import MemoryFrame
from reelway.media.layout import PICTURE_FORMATS, SAMPLE_FORMATS, layout_of, picture_layout, sound_layout

KNOWN = sorted(set(PICTURE_FORMATS) & set(av.video.format.names))


@pytest.mark.parametrize("format", KNOWN)
def test_planes_are_those_of_ffmpeg(format: str) -> None:
    planes = av.VideoFrame(70, 38, format).planes
    layout = picture_layout(format, 70, 38)
    assert [plane.shape[1::-1] for plane in layout.planes] == [(p.width, p.height) for p in planes]
    used = [plane.stride for plane in layout.planes]
    assert all(mine <= theirs.line_size < mine + 256 for mine, theirs in zip(used, planes, strict=True))


@pytest.mark.parametrize("format", ["yuv420p", "rgb24", "gray", "nv12", "gray16le", "rgba"])
def test_one_array_is_ffmpegs(format: str) -> None:
    frame = MemoryFrame.picture(format, 32, 16)
    frame.view()[:] = np.random.default_rng(1).integers(0, 256, frame.size, np.uint8).tobytes()
    theirs = av.VideoFrame(32, 16, format)
    for mine, plane in zip(frame.planes(), theirs.planes, strict=True):
        lines = np.zeros((plane.height, plane.line_size), np.uint8)
        flat = mine.reshape(plane.height, -1).view(np.uint8)
        lines[:, : flat.shape[1]] = flat
        plane.update(lines.tobytes())
    assert (frame.array() == theirs.to_ndarray()).all()


@pytest.mark.parametrize("format", [*SAMPLE_FORMATS, *(name + "p" for name in SAMPLE_FORMATS)])
def test_sound_is_samples_by_channels(format: str) -> None:
    frame = MemoryFrame.sound(format, 2, 5)
    planes = frame.planes(writable=True)
    if format.endswith("p"):
        planes[1][3] = 7
    else:
        planes[0][3, 1] = 7
    assert frame.array().shape == (5, 2)
    assert frame.array()[3, 1] == 7
    assert frame.array().sum() == 7
    assert frame.size == 10 * av.AudioFormat(format).bytes


def test_strides_of_the_pid_are_kept() -> None:
    properties = {"StreamType": "Visual", "PixelFormat": "yuv420p", "Width": 6, "Height": 4, "Stride": 8}
    layout = layout_of(properties)
    assert [(plane.offset, plane.stride) for plane in layout.planes] == [(0, 8), (32, 4), (40, 4)]
    layout = layout_of({**properties, "StrideUV": 16})
    assert [(plane.offset, plane.stride) for plane in layout.planes] == [(0, 8), (32, 16), (64, 16)]
    frame = MemoryFrame(layout)
    frame.planes(writable=True)[1][1, 2] = 9
    assert frame.view()[32 + 16 + 2] == 9
    with pytest.raises(rw.UnsupportedError, match="4 bytes a line are too few"):
        layout_of({**properties, "Stride": 4})


def test_what_is_read_cannot_be_written_and_copies_are_apart() -> None:
    packet = rw.Packet(MemoryFrame.picture("gray", 4, 2))
    with pytest.raises(ValueError, match="read-only"):
        packet.planes()[0][0, 0] = 1
    other = packet.clone()
    other.writable()[0][0, 0] = 5
    assert (packet.array()[0, 0], other.array()[0, 0]) == (0, 5)
    assert bytes(other.data) == bytes([5, 0, 0, 0, 0, 0, 0, 0])


def test_read_only_memory_is_copied_before_it_is_written() -> None:
    memory = bytes(range(8))
    packet = rw.Packet(MemoryFrame(picture_layout("gray", 4, 2), memory))
    packet.writable()[0][0, 0] = 99
    assert (memory[0], packet.array()[0, 0]) == (0, 99)


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(rw.UnsupportedError, match="pal8 has no layout"):
        picture_layout("pal8", 4, 4)
    with pytest.raises(rw.UnsupportedError, match="no sample format is called 's17'"):
        sound_layout("s17", 2, 1)
    with pytest.raises(rw.UnsupportedError, match="raw media without Width and Height"):
        layout_of({"StreamType": "Visual", "PixelFormat": "gray"})
    with pytest.raises(rw.PacketError, match="3 bytes are too few for gray: it takes 8"):
        MemoryFrame(picture_layout("gray", 4, 2), b"abc")
    with pytest.raises(rw.PacketError, match="does not fit into one array"):
        MemoryFrame.picture("yuv420p", 5, 3).array()
