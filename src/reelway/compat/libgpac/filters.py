"""libgpac's Filter: any filter of a session, looked at from outside."""

from __future__ import annotations

import fractions
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import reelway as rw
from reelway import events
from reelway.compat.libgpac import constants as gf
from reelway.compat.libgpac.later import comes_later
from reelway.compat.libgpac.pids import enumerate_properties
from reelway.compat.libgpac.properties import held
from reelway.compat.libgpac.statistics import FilterPidStatistics, FilterStats, of_filter, of_pid
from reelway.compat.libgpac.values import FilterArg
from reelway.graph.option import Option
from reelway.media.values import Seconds, Size, format_value

if TYPE_CHECKING:
    from reelway.compat.libgpac.session import FilterSession

__all__ = ["Filter"]


class Filter:
    """A filter of the session; the session makes one object for each filter."""

    def __init__(self, session: FilterSession, filter: rw.Filter) -> None:
        self._session = session
        self._filter = filter
        self._percent = -1

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self._filter.name

    @property
    def ID(self) -> str:
        """The ID that links name it by."""
        return self._filter.name

    # The graph

    @property
    def nb_ipid(self) -> int:
        return len(self._filter.ipids)

    @property
    def nb_opid(self) -> int:
        return len(self._filter.opids)

    def _ipid(self, idx: int) -> rw.Link:
        return _at(self._filter.ipids, idx, "input", self.name)

    def _opid(self, idx: int) -> rw.Pid:
        return _at(self._filter.opids, idx, "output", self.name)

    def ipid_source(self, idx: int) -> Filter | None:
        """The filter that produces input PID `idx`."""
        return self._session._to_filter(self._ipid(idx).source)

    def opid_sinks(self, idx: int) -> list[Filter]:
        """The filters that consume output PID `idx`."""
        return [self._session._to_filter(link.filter) for link in self._opid(idx).links]

    def set_source(self, f: Filter | None, link_args: str | None = None) -> None:
        """Takes its inputs from `f`; `link_args` chooses PIDs, as `#video` or `#PID=1`."""
        if f is not None:
            self._filter.set_source(f._filter, link_args or "")

    def set_source_restricted(self, f: Filter | None, link_args: str | None = None) -> None:
        """As `set_source`: Reelway's links do not spread to what is loaded later."""
        self.set_source(f, link_args)

    def insert(self, f: Filter | None, opid: int = -1, link_args: str | None = None) -> None:
        """Puts `f` behind this filter: it reads output `opid` (-1: all), and their consumers read `f`.

        `link_args` chooses among all outputs, as in `set_source`. Also while the session runs.
        """
        if f is None:
            return
        chosen = f"#{self._opid(opid).name}" if opid >= 0 else link_args or ""
        self._session._session.insert(f._filter, after=self._filter, selector=chosen)

    def remove(self) -> None:
        """Takes it out of the session, with what it alone feeds; each finishes what waits for it."""
        self._session._session.remove(self._filter)

    def require_source_id(self) -> None:
        """Nothing to do: Reelway's links know their source."""

    # Properties of its PIDs

    def ipid_prop(self, idx: int, prop_name: str) -> Any:
        return held(_properties(self._ipid(idx)), prop_name)

    def opid_prop(self, idx: int, prop_name: str) -> Any:
        return held(self._opid(idx).properties, prop_name)

    def ipid_enum_props(self, idx: int, callback_obj: Any) -> None:
        """Calls `callback_obj.on_prop_enum(name, value)` for each property."""
        enumerate_properties(_properties(self._ipid(idx)), callback_obj)

    def opid_enum_props(self, idx: int, callback_obj: Any) -> None:
        """Calls `callback_obj.on_prop_enum(name, value)` for each property."""
        enumerate_properties(self._opid(idx).properties, callback_obj)

    def get_info(self, prop_name: str) -> Any:
        """The first of its PIDs' properties of that name, outputs first; None where none has it."""
        found = [pid.properties for pid in self._filter.opids] + [
            _properties(pid) for pid in self._filter.ipids
        ]
        values = (held(properties, prop_name) for properties in found)
        return next((value for value in values if value is not None), None)

    # Options

    def all_args(self) -> list[FilterArg]:
        """Its options as declared."""
        return [_argument(name, option) for name, option in self._filter.options().items()]

    def update(self, name: str, value: str, propagate_mask: int = 0) -> None:
        """Changes an option while the session runs, here; with 1 also downstream, with 2 upstream."""
        told = {self._filter}
        self._filter.update(name, value)
        if propagate_mask & 1:
            self._spread(lambda f: [link.filter for pid in f.opids for link in pid.links], told, name, value)
        if propagate_mask & 2:
            self._spread(lambda f: [link.source for link in f.ipids], told, name, value)

    def _spread(self, next_to: Any, told: set[rw.Filter], name: str, value: str) -> None:
        """Also to every filter that way which has such an option."""
        waiting = list(next_to(self._filter))
        while waiting:
            filter = waiting.pop()
            if filter not in told:
                told.add(filter)
                if name in filter.options():
                    filter.update(name, value)
                waiting += next_to(filter)

    def bind(self, object: Any) -> None:
        raise comes_later("Filter.bind")

    def _fire(self, event: events.Event, upstream: bool) -> bool:
        """An event from outside; True where it is taken."""
        if upstream:
            for pid in self._filter.opids:
                pid.send_event(event)
            return bool(self._filter.opids)
        self._filter.context.deliver(self._filter, event)
        return True

    # Statistics

    def get_statistics(self) -> FilterStats:
        return of_filter(self, self._session._session.statistics())

    def ipid_stats(self, idx: int, mode: int = gf.GF_STATS_LOCAL) -> FilterPidStatistics:
        return of_pid([self._ipid(idx)])

    def opid_stats(self, idx: int, mode: int = gf.GF_STATS_LOCAL) -> FilterPidStatistics:
        return of_pid(self._opid(idx).links)


_P = TypeVar("_P")


def _properties(link: rw.Link) -> dict[str, Any]:
    """Those of the next packet; before the first arrives, those that it will have."""
    return link.properties or link.pid.properties


def _at(pids: list[_P], idx: int, side: str, name: str) -> _P:
    if not 0 <= idx < len(pids):
        raise rw.UnknownNameError(f"filter {name} has no {side} PID {idx}", hint=f"it has {len(pids)}")
    return pids[idx]


_ARGUMENT_TYPES: Mapping[Any, int] = {
    bool: gf.GF_PROP_BOOL,
    int: gf.GF_PROP_SINT,
    float: gf.GF_PROP_DOUBLE,
    Seconds: gf.GF_PROP_DOUBLE,
    fractions.Fraction: gf.GF_PROP_FRACTION,
    Size: gf.GF_PROP_VEC2I,
    bytes: gf.GF_PROP_DATA,
}


def _argument(name: str, option: Option) -> FilterArg:
    choices = "|".join(option.choices) if option.choices else None
    bounds = f"{option.low}-{option.high}" if option.low is not None and option.high is not None else None
    limits = choices or bounds
    default = "" if option.required else format_value(option.default)
    return FilterArg(
        name=name.encode(),
        description=option.help.encode(),
        type=_ARGUMENT_TYPES.get(option.kind, gf.GF_PROP_STRING),
        default=default.encode() or None,
        min_max_enum=limits.encode() if limits else None,
        flags=gf.GF_FS_ARG_UPDATE if option.live else gf.GF_FS_ARG_HINT_NORMAL,
    )
