"""Which format comes nearest to another one, where a converter may choose: by names alone."""

from __future__ import annotations

__all__ = ["nearest_pixel_formats", "nearest_sample_formats"]

_RGB = ("rgb24", "bgr24", "rgb0", "bgr0", "0rgb", "0bgr", "gbrp")
_RGBA = ("rgba", "bgra", "argb", "abgr", "gbrap")
_YUV = ("yuv420p", "nv12", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")
_YUVA = ("yuva420p", "yuva422p", "yuva444p")
_FEW = ("pal8", "rgb8", "bgr8")
_GRAY = ("gray", "ya8")


def nearest_pixel_formats(before: str | None) -> tuple[str, ...]:
    """The usual 8-bit formats, the best first for pictures that were in `before`: colour and alpha stay."""
    name = before or ""
    rgb = name.lstrip("0a").startswith(("rgb", "bgr", "gbr"))
    alpha = name in _RGBA or name.startswith(("yuva", "gbrap", "rgba", "bgra", "ya"))
    if name.startswith(("gray", "ya")):
        return (*(reversed(_GRAY) if alpha else _GRAY), *_YUV, *_RGB, *_RGBA, *_FEW)
    plain = (*_RGB, *_YUV) if rgb else (*_YUV, *_RGB)
    if alpha:
        return (*_RGBA, *_YUVA, *plain, *_FEW) if rgb else (*_YUVA, *_RGBA, *plain, *_FEW)
    return (*plain, *_RGBA, *_FEW, *_GRAY)


def nearest_sample_formats(before: str | None) -> tuple[str, ...]:
    """The sample formats, the best first for sound that was in `before`: no bit is lost that can be kept."""
    plain = (before or "").removesuffix("p")
    if plain in ("flt", "dbl"):
        order = ("flt", "dbl", "s32", "s16", "u8")
    elif plain in ("s16", "u8"):
        order = ("s16", "s32", "flt", "dbl", "u8")
    else:
        order = ("s32", "dbl", "flt", "s16", "u8")
    return tuple(f"{name}{planar}" for name in order for planar in ("", "p"))
