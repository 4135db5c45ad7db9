"""What sequence parameter sets of H.264 and HEVC say that anybody here asks for.

ITU-T H.264, 7.3.2.1, and H.265, 7.3.2.2: the format of samples, for decoder configuration records, what
slice headers depend on, and what pictures look like, where no container says it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from reelway.engine.bits import Bits

__all__ = [
    "MOST_REORDERED",
    "WITH_CHROMA",
    "Picture",
    "References",
    "Sequence",
    "h264_sequence",
    "hevc_sequence",
    "reference_set",
]

MOST_REORDERED = 16  # no conforming stream has more (H.264, A.3.1; H.265, A.4.2)
MOST_SETS = 64  # of reference pictures (H.265, 7.4.3.2.1), with 16 pictures each
MOST_FPS = 300  # who says more is not believed
WITH_CHROMA = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244}
"""Profiles of H.264 whose sequence parameter set says the chroma format (7.3.2.1.1)."""

References = tuple[tuple[int, bool], ...]
"""Pictures that are kept (H.265, 7.3.7): by how much their order counts differ from this one's, and whether
it refers to them."""


_ASPECTS = (
    *((0, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11)),
    *((80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1)),
)
"""Shapes of pixels by number (H.264, table E-1); the first is none."""
_SAID_ASPECT = 255
_CHROMA_STEPS = ((1, 1), (2, 2), (2, 1), (1, 1))
"""Pixels across and down of a chroma sample, by chroma format."""


@dataclass
class Picture:
    """How pictures are shown: their size after cropping, the shape of pixels, how many a second."""

    width: int = 0
    height: int = 0
    aspect: Fraction | None = None
    fps: Fraction | None = None
    full_range: bool = False


@dataclass
class Sequence:
    """What of a sequence parameter set is asked for: what slice headers depend on, the format of samples, and
    what pictures look like."""

    lsb_bits: int
    counted: bool = True  # the order count lies in the slice header
    frame_num_bits: int = 0
    frames_only: bool = True
    separate_planes: bool = False
    reorder: int | None = None
    chroma: int = 1
    """chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4."""
    depths: tuple[int, int] = (0, 0)
    """Bits of luma and chroma samples beyond 8."""
    references: tuple[References, ...] = ()
    picture: Picture = field(default_factory=Picture)

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name of it; empty where there is none."""
        luma = 8 + self.depths[0]
        if self.depths[0] != self.depths[1] and self.chroma:
            return ""
        name = ("gray", "yuv420p", "yuv422p", "yuv444p")[self.chroma & 3]
        if self.picture.full_range and self.chroma and luma == 8:
            name = name.replace("yuv", "yuvj")
        return name if luma == 8 else f"{name}{luma}le" if luma in (9, 10, 12, 14) else ""


def h264_sequence(unit: bytes) -> tuple[int, Sequence]:
    """The number and what is read of a sequence parameter set: H.264, 7.3.2.1.1."""
    bits = Bits(unit[1:])
    profile = bits.u(8)
    bits.u(16)
    number = bits.ue()
    separate, chroma, depths = False, 1, (0, 0)
    if profile in WITH_CHROMA:
        chroma = bits.ue()
        separate = chroma == 3 and bool(bits.u(1))
        depths = bits.ue(), bits.ue()
        bits.u(1)
        if bits.u(1):
            for i in range(12 if chroma == 3 else 8):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if i < 6 else 64)
    frame_num_bits = bits.ue() + 4
    order_type = bits.ue()
    lsb_bits = 0
    if order_type == 0:
        lsb_bits = bits.ue() + 4
    elif order_type == 1:
        bits.u(1), bits.se(), bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()
    bits.ue(), bits.u(1)
    across, down = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    frames_only = bool(bits.u(1))
    if not frames_only:
        bits.u(1)
        down *= 2
    bits.u(1)
    step = _CHROMA_STEPS[0 if separate else chroma & 3]
    picture = _cropped(bits, across, down, step[0], step[1] if frames_only else 2 * step[1])
    reorder = _h264_usability(bits, picture) if bits.u(1) else None
    if order_type or profile == 66:
        reorder = 0
    return number, Sequence(
        lsb_bits,
        order_type == 0,
        frame_num_bits,
        frames_only,
        separate,
        reorder,
        chroma,
        depths,
        picture=picture,
    )


def _cropped(bits: Bits, across: int, down: int, step_across: int, step_down: int) -> Picture:
    """The size of what is shown; in front of it stands whether anything is cut off (H.264, 7.3.2.1.1; H.265,
    7.3.2.2.1)."""
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        across -= step_across * (left + right)
        down -= step_down * (top + bottom)
    return Picture(max(0, across), max(0, down))


def _looks(bits: Bits, picture: Picture) -> None:
    """What usability information begins with: the shape of pixels, and their range (H.264, E.1.1; H.265,
    E.2.1)."""
    if bits.u(1):
        number = bits.u(8)
        pair = (bits.u(16), bits.u(16)) if number == _SAID_ASPECT else (0, 0)
        if number < len(_ASPECTS):
            pair = _ASPECTS[number]
        picture.aspect = Fraction(*pair) if all(pair) else None
    if bits.u(1):
        bits.u(1)
    if bits.u(1):
        bits.u(3)
        picture.full_range = bool(bits.u(1))
        if bits.u(1):
            bits.u(24)
    if bits.u(1):
        bits.ue(), bits.ue()


def _timing(bits: Bits, picture: Picture, ticks: int) -> None:
    """How long a picture is shown, `ticks` of those that are told."""
    unit, scale = bits.u(32), bits.u(32)
    if unit and scale and 1 <= Fraction(scale, ticks * unit) <= MOST_FPS:
        picture.fps = Fraction(scale, ticks * unit)


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _h264_usability(bits: Bits, picture: Picture) -> int | None:
    """Fills `picture`; max_num_reorder_frames (H.264, E.1.1), or None where it says nothing."""
    _looks(bits, picture)
    if bits.u(1):
        _timing(bits, picture, 2)
        bits.u(1)
    hypothetical = 0
    for _ in range(2):
        if bits.u(1):
            hypothetical += 1
            schedules = bits.ue() + 1
            bits.u(8)
            for _ in range(min(schedules, 32)):
                bits.ue(), bits.ue(), bits.u(1)
            bits.u(20)
    if hypothetical:
        bits.u(1)
    bits.u(1)
    if not bits.u(1):
        return None
    bits.u(1)
    for _ in range(4):
        bits.ue()
    return min(bits.ue(), MOST_REORDERED)


def hevc_sequence(unit: bytes) -> tuple[int, Sequence]:
    """The number and what is read of a sequence parameter set: H.265, 7.3.2.2.1."""
    bits = Bits(unit[2:])
    bits.u(4)
    layers = bits.u(3)
    bits.u(1)
    bits.u(96)  # general profile, tier and level
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        bits.u(2 * (8 - layers))
    for profile, level in present:
        bits.u(88 * profile + 8 * level)
    number = bits.ue()
    chroma = bits.ue()
    separate = chroma == 3 and bool(bits.u(1))
    across, down = bits.ue(), bits.ue()
    picture = _cropped(bits, across, down, *_CHROMA_STEPS[0 if separate else chroma & 3])
    depths = bits.ue(), bits.ue()
    lsb_bits = bits.ue() + 4
    each = bits.u(1)
    reorder = 0
    for _ in range(layers + 1 if each else 1):
        bits.ue()
        reorder = bits.ue()
        bits.ue()
    for _ in range(6):  # sizes of blocks, depths of their trees
        bits.ue()
    if bits.u(1) and bits.u(1):
        _skip_scaling_lists(bits)
    bits.u(2)
    if bits.u(1):  # samples as they are
        bits.u(8), bits.ue(), bits.ue(), bits.u(1)
    sets: tuple[References, ...] = ()
    for _ in range(min(bits.ue(), MOST_SETS)):
        sets += (reference_set(bits, sets, in_slice=False),)
    if bits.u(1):  # pictures that are kept long
        for _ in range(min(bits.ue(), 32)):
            bits.u(min(lsb_bits, 16) + 1)
    bits.u(2)
    if bits.u(1):
        _looks(bits, picture)
        bits.u(3)
        if bits.u(1):  # default display window
            for _ in range(4):
                bits.ue()
        if bits.u(1):
            _timing(bits, picture, 1)
    return number, Sequence(
        min(lsb_bits, 16),
        separate_planes=separate,
        reorder=min(reorder, MOST_REORDERED),
        chroma=chroma,
        depths=depths,
        references=sets,
        picture=picture,
    )


def _skip_scaling_lists(bits: Bits) -> None:
    """H.265, 7.3.4."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.u(1):
                bits.ue()
                continue
            if size > 1:
                bits.se()
            for _ in range(min(64, 1 << 4 + 2 * size)):
                bits.se()


def reference_set(bits: Bits, sets: tuple[References, ...], *, in_slice: bool) -> References:
    """st_ref_pic_set (H.265, 7.3.7 and 7.4.8) after `sets`, or in the header of a slice."""
    if sets and bits.u(1):  # as a difference to one before
        back = min(bits.ue() + 1, len(sets)) if in_slice else 1
        sign = bits.u(1)
        moved = (1 - 2 * sign) * (bits.ue() + 1)
        found = []
        for delta, _ in (*sets[len(sets) - back], (0, True)):
            used = bool(bits.u(1))
            if used or bits.u(1):
                found.append((delta + moved, used))
        below = sorted((each for each in found if each[0] < 0), reverse=True)
        return (*below, *sorted(each for each in found if each[0] > 0))
    below_count, above_count = min(bits.ue(), MOST_REORDERED), min(bits.ue(), MOST_REORDERED)
    found = []
    for count, sign in ((below_count, -1), (above_count, 1)):
        delta = 0
        for _ in range(count):
            delta += sign * (bits.ue() + 1)
            found.append((delta, bool(bits.u(1))))
    return tuple(found)
