"""What a program says of an event, as JSON can hold it: no event is lost for what was said of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from typing import Any

__all__ = ["plain"]

MOST_DEEP = 64
"""Levels of lists and mappings."""
MOST_BITS = 8192
"""Of an integer: Python does not write longer ones in decimals."""
CUT = "..."
"""In place of what is deeper, or within itself."""


def plain(value: Any) -> Any:
    """`value` of mappings with text keys, lists, text, numbers, True, False and None. Never raises."""
    return _plain(value, ())


def _plain(value: Any, around: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= MOST_BITS else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping | Set | list | tuple):
        if id(value) in around or len(around) >= MOST_DEEP:
            return CUT
        inside = (*around, id(value))
        try:  # its owner may change it at this moment
            if isinstance(value, Mapping):
                return {_key(key): _plain(each, inside) for key, each in list(value.items())}
            return [_plain(each, inside) for each in list(value)]
        except Exception:  # noqa: BLE001 - of a class of its own, for one
            return _text(value)
    return _text(value)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else _text(key)


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001
        return f"<{type(value).__name__}>"
