"""What must hold before a session runs: every filter gets something, no file is written twice at once.

And what is told when it is over: a file that got nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reelway.errors import LinkError, OptionError, redact
from reelway.graph.filter import Filter
from reelway.graph.wiring import Wiring, link_error
from reelway.session.plan import Plan
from reelway.session.words import stream_in_words

if TYPE_CHECKING:
    from reelway.session.session import Session

__all__ = ["check_fed", "check_together", "check_unlinked", "goes_nowhere", "refuse_same_file", "tell_empty"]

log = logging.getLogger("reelway.session")


def check_fed(plan: Plan, filters: Sequence[Filter], wiring: Wiring, made: Collection[Filter]) -> None:
    """Raises LinkError for a filter that takes something and gets nothing; those in `made` are excused.

    A source that is not open yet may still feed anything: then nothing is raised.
    """
    if any(not filter.opids for filter in filters if not filter.inputs):
        return
    for refusal in plan.refused:
        reached = any(
            route.consumer is refusal.consumer and stream.source is refusal.source
            for stream in plan.streams
            for route in stream.routes
        )
        said = [each for each in wiring.sources_of(refusal.consumer) if each.source is refusal.source]
        if said and not reached and not all(each.may_pass for each in said):
            raise link_error(refusal)
    fed = {route.consumer for stream in plan.streams for route in stream.routes}
    fed |= {link.filter for filter in filters for pid in filter.opids for link in pid.links}
    for filter in filters:
        if filter.inputs and filter not in fed and filter not in made:
            refusals = [refusal for refusal in plan.refused if refusal.consumer is filter]
            raise link_error(refusals[0]) if refusals else _unfed(filter, plan, wiring)


def _unfed(filter: Filter, plan: Plan, wiring: Wiring) -> LinkError:
    """Why: a selector matches nothing, a source gets nothing itself, or there is no source."""
    for declared in wiring.sources_of(filter):
        source = declared.source
        streams = [stream for stream in plan.streams if stream.source is source]
        if declared.selector is not None and streams:
            there = "; ".join(f"{stream.name} ({stream.summary})" for stream in streams)
            return LinkError(
                f"{source.name} has no stream that {filter.name} takes with {declared.selector}",
                hint=f"{source.name} has {there}",
            )
        if not streams:
            return LinkError(
                f"nothing feeds {filter.name}: {source.name} puts out no stream",
                hint=f"link a source to {source.name}" if source.inputs else None,
            )
    return LinkError(
        f"nothing feeds {filter.name}",
        hint=f"load a source before it is run, or link one: source >> {filter.name}",
    )


def check_together(plan: Plan, filters: Sequence[Filter]) -> None:
    """Raises LinkError for a filter that cannot take all that is planned for it, as a container a codec."""
    for filter in filters:
        arriving = {
            f"{stream.source.name}.{stream.name}": route.chain.properties
            for stream in plan.streams
            for route in stream.routes
            if route.consumer is filter
        }
        known = not any(isinstance(properties.get("CodecID"), frozenset) for properties in arriving.values())
        if arriving and known:
            filter.check_inputs(arriving)


def check_unlinked(plan: Plan) -> None:
    """Raises LinkError for a stream that nothing takes."""
    if plan.unlinked:
        stream = plan.unlinked[0]
        raise goes_nowhere(stream.source.name, stream.name, stream.properties)


def goes_nowhere(source: str, pid: str, properties: Mapping[str, Any]) -> LinkError:
    """The error for a stream that nothing takes, where it is one; else what the log says."""
    return LinkError(
        f"{source}.{pid} ({stream_in_words(properties)}) goes nowhere",
        hint="link it, or choose what the source delivers",
    )


def refuse_same_file(filters: Sequence[Filter]) -> None:
    """Raises OptionError where a file would be written while it is read: opening it to write empties it."""
    sources = {identity for filter in filters if (identity := _file(getattr(filter, "src", None)))}
    for filter in filters:
        target = getattr(filter, "dst", None)
        if sources and _file(target) in sources:
            raise OptionError(
                f"{redact(str(target))} is read and written at once",
                hint="write to another name, and rename it when it is done",
            )
    targets: dict[Any, Filter] = {}
    for filter in filters:
        target = getattr(filter, "dst", None)
        place = _file(target) or _path(target)
        if place is not None and targets.setdefault(place, filter) is not filter:
            raise OptionError(
                f"{redact(str(target))} is written by {targets[place].name} and by {filter.name}",
                hint="link all streams to one of them, or give the other another name",
            )


def tell_empty(session: Session) -> None:
    """Warns of what was to be written and got no packet: an older file may stay, and look like the result.

    Only behind an end of its own: who stops a session, or gets its error, expects no whole file.
    """
    if not session.completed:
        return
    for filter in session.filters:
        target, inputs = getattr(filter, "dst", None), filter.ipids
        if not isinstance(target, (str, os.PathLike)) or not inputs:
            continue
        if all(link.ended and not link.packets_in for link in inputs):
            path = os.fsdecode(target).removeprefix("file:")
            older = _has_content(path)
            log.warning(
                "%s: nothing was written: no packet reached it%s",
                redact(os.fsdecode(target)),
                "; the file of this name is an older one" if older else "",
            )


def _has_content(path: str) -> bool:
    with contextlib.suppress(OSError):
        found = os.stat(path)
        return stat.S_ISREG(found.st_mode) and found.st_size > 0
    return False


def _path(url: Any) -> str | None:
    """Where a file that is not there yet will be; None for anything but a path."""
    if not isinstance(url, (str, os.PathLike)) or "://" in os.fsdecode(url):
        return None
    path = os.path.realpath(os.fsdecode(url).removeprefix("file:"))
    return None if os.path.exists(path) or path.endswith("/-") else path


def _file(url: Any) -> tuple[int, int] | None:
    """Which regular file this is, whatever name it is called by; None for anything else."""
    if not isinstance(url, (str, os.PathLike)):
        return None
    try:
        found = os.stat(os.fsdecode(url).removeprefix("file:"))
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
