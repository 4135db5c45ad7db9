"""Inputs and outputs by the numbers of their pads, in whatever order a pipeline names and opens them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reelway as rw
from tests.media import make

RED, GREEN, BLUE = (253, 0, 0), (0, 254, 0), (0, 0, 254)
ONE, TWO = (f"videotestsrc num-buffers={count}" for count in (1, 2))


def pictures(text: str, path: Path) -> list[np.ndarray]:
    """What `text`, with {out} in it, writes as RGB of 240 lines a picture of 320 or 640 columns."""
    with rw.launch(text, out=str(path / "out.rgb")) as app:
        app.wait()
    return list(np.fromfile(path / "out.rgb", np.uint8).reshape(-1, 240, 320, 3))


WRITE = "videoconvert ! video/x-raw,format=RGB ! filesink location={out}"


@pytest.mark.parametrize(
    "sources",
    [
        f"{ONE} pattern=red ! c.sink_0 {ONE} pattern=blue ! c.sink_1",
        f"{ONE} pattern=blue ! c.sink_1 {ONE} pattern=red ! c.sink_0",
        f"{ONE} pattern=red ! queue ! c. {ONE} pattern=blue ! c.",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_each_input_lies_where_its_pad_says(sources: str, first: bool, tmp_path: Path) -> None:
    """Only one of the two pads has properties."""
    mixed = f"compositor name=c sink_1::xpos=160 ! video/x-raw,width=320,height=240 ! {WRITE}"
    (picture,) = pictures(f"{mixed} {sources}" if first else f"{sources} {mixed}", tmp_path)
    assert tuple(picture[100, 80]) == RED
    assert tuple(picture[100, 240]) == BLUE


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (f"{ONE} pattern=red ! c. {TWO} pattern=blue ! c.", [RED, BLUE, BLUE]),
        (f"{ONE} pattern=red ! c.sink_1 {TWO} pattern=blue ! c.sink_0", [BLUE, BLUE, RED]),
    ],
)
def test_concat_plays_by_the_numbers_of_its_pads(
    sources: str, expected: list[tuple[int, int, int]], tmp_path: Path
) -> None:
    found = pictures(f"concat name=c ! {WRITE} {sources}", tmp_path)
    assert [tuple(picture[0, 0]) for picture in found] == expected


@pytest.mark.parametrize(("pad", "expected"), [("sink_0", RED), ("sink_1", BLUE), ("sink_2", GREEN)])
def test_the_active_input_is_that_of_the_pad(
    pad: str, expected: tuple[int, int, int], tmp_path: Path
) -> None:
    found = pictures(
        f"input-selector name=c active-pad={pad} ! {WRITE} "
        f"{ONE} pattern=red ! c. {ONE} pattern=blue ! c. {ONE} pattern=green ! c.",
        tmp_path,
    )
    assert [tuple(picture[0, 0]) for picture in found] == [expected]


@pytest.mark.parametrize("active", [0, 1])
def test_an_output_is_that_of_its_pad(active: int) -> None:
    with rw.launch(
        f"output-selector name=s active-pad=src_{active} videotestsrc num-buffers=10 ! s. "
        "s.src_0 ! queue ! fakesink name=a s.src_1 ! queue ! fakesink name=b"
    ) as app:
        sinks = [app["a"].filter, app["b"].filter]
        app.wait()
    counts = [sink.packets for sink in sinks]  # type: ignore[union-attr]
    assert counts == ([10, 0] if active == 0 else [0, 10])


def test_each_voice_has_its_own_volume(tmp_path: Path) -> None:
    path = tmp_path / "out.raw"
    source = "audiotestsrc num-buffers=4 wave={wave} ! audio/x-raw,format=F32LE,channels=1"
    with rw.launch(
        f"audiomixer name=m sink_1::mute=true ! audio/x-raw,format=F32LE ! filesink location={path} "
        f"{source.format(wave='silence')} ! m. {source.format(wave='sine')} ! m."
    ) as app:
        app.wait()
    heard = np.fromfile(path, np.float32)
    assert len(heard) == 4096
    assert not heard.any()


def test_a_decodebin_behind_a_demuxer_only_decodes(tmp_path: Path) -> None:
    film = make.media("film.mp4")
    for demuxer in ("qtdemux", "parsebin"):
        found = pictures(f"filesrc location={film} ! {demuxer} ! decodebin ! {WRITE}", tmp_path)
        assert len(found) == 100
