"""`valkka.api2`: clients of shared frames. Its threads, chains and processes come later, and say so."""

from __future__ import annotations

from typing import NoReturn

import reelway as rw
from reelway.compat.valkka.api2.shmem import Client, ShmemClient, ShmemRGBClient
from reelway.compat.valkka.later import LATER_AT_LEVEL_2 as LATER
from reelway.compat.valkka.later import later_class

__all__ = ["Client", "ShmemClient", "ShmemRGBClient", *LATER]  # noqa: PLE0604 (what loads is what there is)

globals().update({name: later_class(name, why) for name, why in LATER.items()})


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    unknown = rw.UnknownNameError.of("name in valkka.api2", name, __all__)
    raise AttributeError(f"{unknown} ({unknown.hint})" if unknown.near else str(unknown), name=name)


def __dir__() -> list[str]:
    return sorted(__all__)
