"""`valkka.core`, and `valkka.valkka_core` as it was called: what Valkka wraps of C++."""

from __future__ import annotations

from typing import NoReturn

import reelway as rw
from reelway.compat.valkka import filters, ring
from reelway.compat.valkka.filters import *  # noqa: F403 - Valkka's own module is as flat
from reelway.compat.valkka.later import LATER, later_class
from reelway.compat.valkka.ring import *  # noqa: F403

__all__ = [*filters.__all__, *ring.__all__, *LATER]  # noqa: PLE0604 (what loads is what there is)

globals().update({name: later_class(name) for name in LATER})


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    unknown = rw.UnknownNameError.of("name in valkka.core", name, __all__)
    raise AttributeError(f"{unknown} ({unknown.hint})" if unknown.near else str(unknown), name=name)


def __dir__() -> list[str]:
    return sorted(__all__)
