"""libgpac's FilterSession and FilterTask on a session of Reelway's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import reelway as rw
from reelway.compat.libgpac import constants as gf
from reelway.compat.libgpac import environment
from reelway.compat.libgpac.events import FilterEvent, to_reelway_event
from reelway.compat.libgpac.filters import Filter
from reelway.compat.libgpac.later import LATER_FILTERS, comes_later
from reelway.compat.libgpac.values import Fraction64

if TYPE_CHECKING:
    from reelway.compat.libgpac.custom import FilterCustom

__all__ = ["FilterSession", "FilterTask"]

_FLUSH: dict[int, rw.Flush] = {gf.GF_FS_FLUSH_NONE: "none", gf.GF_FS_FLUSH_ALL: "all", gf.GF_FS_FLUSH_FAST: "fast"}


class FilterTask:
    """A callback of the session's scheduler. Derive from it, or put an `execute` on one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.session: FilterSession | None = None

    def execute(self) -> int | None:
        """Returns -1 when done, else milliseconds to the next call; None reads as 0."""
        return -1


class FilterSession:
    """A session. Blocking: `run()` returns when all is done. Non-blocking: each `run()` is one pass."""
