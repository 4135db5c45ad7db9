"""libgpac's small value types: fractions, vectors, data, and what a filter's argument is."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from reelway.compat.libgpac import constants as gf

__all__ = [
    "BufferOccupancy",
    "FilterArg",
    "Fraction",
    "Fraction64",
    "PropData",
    "PropVec2",
    "PropVec2i",
    "PropVec3i",
    "PropVec4i",
]

TYPE_NAMES = {
    gf.GF_PROP_FORBIDDEN: "forbidden",
    gf.GF_PROP_SINT: "sint",
    gf.GF_PROP_UINT: "uint",
    gf.GF_PROP_LSINT: "lsint",
    gf.GF_PROP_LUINT: "luint",
    gf.GF_PROP_BOOL: "bool",
    gf.GF_PROP_FRACTION: "frac",
    gf.GF_PROP_FRACTION64: "lfrac",
    gf.GF_PROP_FLOAT: "flt",
    gf.GF_PROP_DOUBLE: "dbl",
    gf.GF_PROP_VEC2I: "v2di",
    gf.GF_PROP_VEC2: "v2d",
    gf.GF_PROP_VEC3I: "v3di",
    gf.GF_PROP_VEC4I: "v4di",
    gf.GF_PROP_STRING: "str",
    gf.GF_PROP_DATA: "mem",
    gf.GF_PROP_NAME: "cstr",
    gf.GF_PROP_POINTER: "ptr",
    gf.GF_PROP_STRING_LIST: "strl",
    gf.GF_PROP_UINT_LIST: "uintl",
    gf.GF_PROP_SINT_LIST: "sintl",
    gf.GF_PROP_VEC2I_LIST: "v2il",
    gf.GF_PROP_4CC: "4cc",
    gf.GF_PROP_4CC_LIST: "4ccl",
    gf.GF_PROP_PIXFMT: "pfmt",
    gf.GF_PROP_PCMFMT: "afmt",
}


@dataclass(slots=True)
class Fraction:
    """`num` over `den`; 0/0 where unknown. Not reduced, as libgpac's."""

    num: int = 0
    den: int = 0

    def __str__(self) -> str:
        return f"{self.num}/{self.den}"

    def __float__(self) -> float:
        return self.num / self.den


class Fraction64(Fraction):
    """A fraction of 64-bit numbers; Python's are the same."""

    __slots__ = ()


@dataclass(slots=True)
class PropVec2i:
    x: int = 0
    y: int = 0

    def __str__(self) -> str:
        return f"{self.x}x{self.y}"


@dataclass(slots=True)
class PropVec2:
    x: float = 0.0
    y: float = 0.0

    def __str__(self) -> str:
        return f"{self.x}x{self.y}"


@dataclass(slots=True)
class PropVec3i:
    x: int = 0
    y: int = 0
    z: int = 0

    def __str__(self) -> str:
        return f"{self.x}x{self.y}x{self.z}"


@dataclass(slots=True)
class PropVec4i:
    x: int = 0
    y: int = 0
    z: int = 0
    w: int = 0

    def __str__(self) -> str:
        return f"{self.x}x{self.y}x{self.z}x{self.w}"


class PropData:
    """Bytes in a property. `ptr` is an address, for `ctypes.string_at`; valid while this object lives."""

    __slots__ = ("_memory", "size")

    def __init__(self, data: bytes = b"") -> None:
        self._memory = ctypes.create_string_buffer(data, len(data) or 1)
        self.size = len(data)

    @property
    def ptr(self) -> int:
        return ctypes.addressof(self._memory)

    def __bytes__(self) -> bytes:
        return self._memory.raw[: self.size]

    def __eq__(self, other: object) -> bool:
        return bytes(self) == bytes(other) if isinstance(other, PropData) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"data,size:{self.size}"


@dataclass(slots=True)
class FilterArg:
    """One option of a filter. Texts are bytes, as in libgpac's structures; None where there is none."""

    name: bytes
    description: bytes
    type: int
    default: bytes | None = None
    min_max_enum: bytes | None = None
    flags: int = gf.GF_FS_ARG_HINT_NORMAL
    reserved: int = 0

    def __str__(self) -> str:
        text = f"- {self.name.decode()} ({TYPE_NAMES.get(self.type, 'unknown')}): {self.description.decode()}"
        facts = []
        if self.default:
            facts.append(f"default: {self.default.decode()}")
        if self.min_max_enum:
            facts.append(f"min_max_enum: {self.min_max_enum.decode()}")
        return f"{text} ({' '.join(facts)})" if facts else text


@dataclass(slots=True)
class BufferOccupancy:
    """How full a PID's buffer is: packets and microseconds, with their limits."""

    max_units: int
    nb_pck: int
    max_dur: int
    dur: int
    is_final_flush: bool
