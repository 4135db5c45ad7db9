"""`valkka.core`, and `valkka.valkka_core` as it was called: what Valkka wraps of C++."""

from __future__ import annotations

from typing import NoReturn

import reelway as rw
from reelway.compat.valkka import (
    branches,
    decoding,
    fifo,
    files,
    filters,
    frames,
    info,
    live,
    recording,
    ring,
    scale,
    screen,
)
from reelway.compat.valkka.branches import *  # noqa: F403 - Valkka's own module is as flat
from reelway.compat.valkka.decoding import *  # noqa: F403
from reelway.compat.valkka.fifo import *  # noqa: F403
from reelway.compat.valkka.files import *  # noqa: F403
from reelway.compat.valkka.filters import *  # noqa: F403
from reelway.compat.valkka.frames import *  # noqa: F403
from reelway.compat.valkka.info import *  # noqa: F403
from reelway.compat.valkka.later import LATER, later_class
from reelway.compat.valkka.live import *  # noqa: F403
from reelway.compat.valkka.recording import *  # noqa: F403
from reelway.compat.valkka.ring import *  # noqa: F403
from reelway.compat.valkka.scale import *  # noqa: F403
from reelway.compat.valkka.screen import *  # noqa: F403

_MODULES = (
    branches,
    decoding,
    fifo,
    files,
    filters,
    frames,
    info,
    live,
    recording,
    ring,
    scale,
    screen,
)

__all__ = [  # noqa: PLE0604 (what loads is what there is)
    *(name for module in _MODULES for name in module.__all__),
    *LATER,
]

globals().update({name: later_class(name, why) for name, why in LATER.items()})


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    unknown = rw.UnknownNameError.of("name in valkka.core", name, __all__)
    raise AttributeError(f"{unknown} ({unknown.hint})" if unknown.near else str(unknown), name=name)


def __dir__() -> list[str]:
    return sorted(__all__)
