"""The face of libgpac: its Python's names on Reelway's public API. Never here: media work, av.

`import reelway.compat.libgpac as gpac` in a program of one's own; in a script that `reelway script` runs,
`import libgpac` gives this module. What `LATER` lists is there and raises; any other name gives the nearest.
"""

from __future__ import annotations

from typing import NoReturn

import reelway as rw
from reelway.compat.libgpac import constants, environment, events, values
from reelway.compat.libgpac.constants import *  # noqa: F403 - libgpac's own module is as flat
from reelway.compat.libgpac.custom import FilterCustom
from reelway.compat.libgpac.environment import *  # noqa: F403
from reelway.compat.libgpac.events import *  # noqa: F403
from reelway.compat.libgpac.filters import Filter
from reelway.compat.libgpac.later import later_class, later_function
from reelway.compat.libgpac.packets import FilterPacket, numpy_support
from reelway.compat.libgpac.pids import FilterPid
from reelway.compat.libgpac.session import FilterSession, FilterTask
from reelway.compat.libgpac.statistics import FilterPidStatistics, FilterStats
from reelway.compat.libgpac.values import *  # noqa: F403

DASHCustomAlgorithm = later_class("DASHCustomAlgorithm")
DASHGroup = later_class("DASHGroup")
DASHGroupDownloadStatistics = later_class("DASHGroupDownloadStatistics")
DASHGroupStatistics = later_class("DASHGroupStatistics")
DASHQualityInfo = later_class("DASHQualityInfo")
DASHSRD = later_class("DASHSRD")
FileIO = later_class("FileIO")
GLTextureInfo = later_class("GLTextureInfo")
HTTPOutRequest = later_class("HTTPOutRequest")
rmt_enable = later_function("rmt_enable")
rmt_on = later_function("rmt_on")
rmt_send = later_function("rmt_send")
set_rmt_fun = later_function("set_rmt_fun")

__all__ = [
    "DASHSRD",
    "DASHCustomAlgorithm",
    "DASHGroup",
    "DASHGroupDownloadStatistics",
    "DASHGroupStatistics",
    "DASHQualityInfo",
    "FileIO",
    "Filter",
    "FilterCustom",
    "FilterPacket",
    "FilterPid",
    "FilterPidStatistics",
    "FilterSession",
    "FilterStats",
    "FilterTask",
    "GLTextureInfo",
    "HTTPOutRequest",
    "numpy_support",
    "rmt_enable",
    "rmt_on",
    "rmt_send",
    "set_rmt_fun",
]
__all__ += constants.__all__
__all__ += environment.__all__
__all__ += events.__all__
__all__ += values.__all__


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    unknown = rw.UnknownNameError.of("name in libgpac", name, __all__)
    raise AttributeError(f"{unknown} ({unknown.hint})" if unknown.near else str(unknown), name=name)


def __dir__() -> list[str]:
    return sorted(__all__)
