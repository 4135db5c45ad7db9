"""What is chosen where a converter may choose: colour, alpha and bits are kept where they can be."""

from __future__ import annotations

import pytest

from reelway.media.likeness import nearest_pixel_formats, nearest_sample_formats


@pytest.mark.parametrize(
    ("before", "offered", "chosen"),
    [
        ("yuv420p", {"gray", "rgb24", "rgba", "pal8"}, "rgb24"),
        ("yuv444p10le", {"gray", "yuv420p", "yuv422p"}, "yuv420p"),
        ("rgba", {"yuv420p", "bgra", "rgb24"}, "bgra"),
        ("argb", {"yuv420p", "yuva444p", "rgb24"}, "yuva444p"),
        ("bgr0", {"yuv420p", "gbrp", "gray"}, "gbrp"),
        ("yuva420p", {"yuv420p", "rgba"}, "rgba"),
        ("gray10le", {"gray", "rgb24", "yuv420p"}, "gray"),
        ("ya8", {"gray", "ya8"}, "ya8"),
        (None, {"gray", "nv12"}, "nv12"),
    ],
)
def test_pictures(before: str | None, offered: set[str], chosen: str) -> None:
    assert next(each for each in nearest_pixel_formats(before) if each in offered) == chosen


@pytest.mark.parametrize(
    ("before", "offered", "chosen"),
    [
        ("fltp", {"s16", "s32p"}, "s32p"),
        ("s16p", {"fltp", "s32p"}, "s32p"),
        ("s16", {"fltp", "u8"}, "fltp"),
        ("s32", {"s16", "flt", "dbl"}, "dbl"),
    ],
)
def test_sound(before: str, offered: set[str], chosen: str) -> None:
    assert next(each for each in nearest_sample_formats(before) if each in offered) == chosen
