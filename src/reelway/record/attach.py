"""Where a recorder hangs: behind streams of a session, or behind an element of an application."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway.errors import OptionError, StateError
from reelway.graph.filter import Filter, Output
from reelway.graph.pid import Pid
from reelway.record.disk import Disk
from reelway.record.recording import Writing
from reelway.record.replay import Replay
from reelway.record.tape import Tape

if TYPE_CHECKING:
    from reelway.record.host import Host

__all__ = ["Attached", "attach"]


class Attached(NamedTuple):
    """tape      what the packets come to
    make         a new session, for a file
    write        what links the source of a file to it; None: what is usual
    session      that of the tape
    take_out     ends it, and waits for that
    """

    tape: Tape
    make: Callable[[], Host]
    write: Writing | None
    session: Host
    take_out: Callable[[], None]


def attach(
    host: Any,
    source: Filter | Output | Pid | str,
    ring_chain: str = "",
    record_chain: str = "",
    **options: Any,
) -> Attached:
    """A tape behind `source`. Raises UnknownNameError, LinkError, StateError, OptionError, PipelineError."""
    options = {name: value for name, value in options.items() if value is not None}
    if hasattr(host, "pipeline"):
        return _behind_element(host, source, ring_chain, record_chain, options)
    if ring_chain or record_chain:
        raise OptionError(
            "chains of elements are for applications",
            hint="in a session put filters in front of the recorder",
        )
    if isinstance(source, str):
        source = host[source]
    if isinstance(source, Pid):
        source = source.filter.select(f"#{source.name}")
    if not isinstance(source, (Filter, Output)):
        raise OptionError(f"{source!r} cannot be recorded", hint="a filter, source.video, a PID, or a name")
    tape = Tape(**options)
    host.add(tape)
    tape.set_source(source)
    return Attached(tape, lambda: type(host)(threads=0), None, host, lambda: host.remove(tape))


def _behind_element(
    app: Any, source: Any, ring_chain: str, record_chain: str, options: dict[str, Any]
) -> Attached:
    if app.session is None:
        raise StateError("this application does not run", hint="app.play() first")
    element = app[source] if isinstance(source, str) else source
    text = " ".join(f"{name.replace('_', '-')}={json.dumps(value)}" for name, value in options.items())
    front = f"{ring_chain} ! " if ring_chain else ""
    branch = app.pipeline.branch(f"{front}recordersink {text}", element)
    tape = branch["recordersink"].filter
    session = app.session

    def write(session: Host, replay: Replay, disk: Disk) -> None:
        app.chain_behind(session, replay, f"{record_chain} ! filesink location={json.dumps(disk.part)}")

    return Attached(
        tape, lambda: type(session)(threads=0), write if record_chain else None, session, branch.remove
    )
