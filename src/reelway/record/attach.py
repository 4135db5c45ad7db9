"""Where a recorder hangs: behind streams of a session, or behind an element of an application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway.errors import OptionError, StateError
from reelway.graph.filter import Filter, Output
from reelway.graph.pid import Pid
from reelway.record.tape import Tape

if TYPE_CHECKING:
    from reelway.record.host import Host

__all__ = ["Attached", "attach"]


class Attached(NamedTuple):
    """tape      what the packets come to
    make         a new session, for a file
    session      that of the tape
    take_out     ends it, and waits for that
    """

    tape: Tape
    make: Callable[[], Host]
    session: Host
    take_out: Callable[[], None]


def attach(host: Any, source: Filter | Output | Pid | str, **options: Any) -> Attached:
    """A tape behind `source`. Raises UnknownNameError, LinkError, StateError, OptionError."""
    options = {name: value for name, value in options.items() if value is not None}
    if hasattr(host, "pipeline"):
        return _behind_element(host, source, options)
    if isinstance(source, str):
        source = host[source]
    if isinstance(source, Pid):
        source = source.filter.select(f"#{source.name}")
    if not isinstance(source, (Filter, Output)):
        raise OptionError(f"{source!r} cannot be recorded", hint="a filter, source.video, a PID, or a name")
    tape = Tape(**options)
    host.add(tape)
    tape.set_source(source)
    return Attached(tape, lambda: type(host)(threads=0), host, lambda: host.remove(tape))


def _behind_element(app: Any, source: Any, options: dict[str, Any]) -> Attached:
    if app.session is None:
        raise StateError("this application does not run", hint="app.play() first")
    element = app[source] if isinstance(source, str) else source
    text = " ".join(f"{name.replace('_', '-')}={value}" for name, value in options.items())
    branch = app.pipeline.branch(f"recordersink {text}", element)
    tape = branch["recordersink"].filter
    session = app.session
    return Attached(tape, lambda: type(session)(threads=0), session, branch.remove)
