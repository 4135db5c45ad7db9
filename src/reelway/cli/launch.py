"""`launch` and `graph`: pipelines in gst-launch's language."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelway.cli.outcome import DONE, Misuse, complain, outcome_of
from reelway.cli.signals import heeding
from reelway.errors import OpenError, OptionError, ReelwayError
from reelway.graph import pipelinetext, placeholders
from reelway.graph.states import State
from reelway.session.application.application import Application
from reelway.session.application.build import build, check_linked
from reelway.session.logs import set_logs

if TYPE_CHECKING:
    from reelway.session.application.bus import Message

__all__ = ["Pipe", "graph", "launch"]

log = logging.getLogger("reelway.cli")

PATIENCE_S = 3.0
"""So long `-e` waits for sources that were told to end: one that waits for the network or a pipe does not."""
LOOK_S = 0.25
"""So often it is looked whether they have."""
DOT_FOLDERS = ("REELWAY_DUMP_DOT_DIR", "GST_DEBUG_DUMP_DOT_DIR")


@dataclass(frozen=True, slots=True)
class Pipe:
    """A pipeline from the command line: its text and the values for its placeholders."""

    text: str
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, words: Sequence[str], file: str | None) -> Pipe:
        """Raises Misuse where there is no text, or two; OpenError for a file that cannot be read."""
        said = [word for word in words if word.startswith("--") and "=" in word]
        plain = [word for word in words if word not in said]
        if wrong := next((word for word in plain if word.startswith("-") and len(word) > 1), None):
            raise Misuse(
                f"no option {wrong}", hint="`reelway launch --help` lists them; a value is --name=value"
            )
        values = dict(word[2:].split("=", 1) for word in said)
        values = {name.replace("-", "_"): value for name, value in values.items()}
        if file is None and not plain:
            raise Misuse("a pipeline must be given", hint="reelway launch 'videotestsrc ! autovideosink'")
        if file is not None and plain:
            raise Misuse(f"{plain[0]!r} is one too many", hint="the pipeline is in the file")
        if file is None:
            return cls(pipelinetext.join(plain), values)
        try:
            return cls(Path(file).read_text("utf-8"), values)
        except OSError as error:
            raise OpenError(f"{file}: {error.strerror}", url=file, errno=error.errno) from None
        except UnicodeDecodeError:
            raise OpenError(f"{file} is no text", url=file, hint="a pipeline file is text in UTF-8") from None

    def application(self, threads: int | None = None) -> Application:
        """Raises PipelineError, OptionError."""
        return Application(build(placeholders.fill(self.text, self.values, quote=True)), threads=threads)


def launch(
    pipe: Pipe,
    *,
    messages: bool = False,
    caps: bool = False,
    tags: bool = False,
    eos: bool = False,
    quiet: bool = False,
    stats: bool = False,
    observe: str | None = None,
    extract: str | None = None,
    consume: str | None = None,
    threads: int | None = None,
    log: str | None = None,
) -> int:
    """Runs it to its end, or to Ctrl-C. Raises what it ended with."""
    set_logs(f"all@{'quiet' if quiet else 'warning'}{':' + log if log else ''}")
    application = pipe.application(threads)
    check_linked(application.pipeline)
    paper = _Paper(application)
    _print_on(application, paper, messages=messages, caps=caps, tags=tags)
    _dump_on(application)
    if not quiet and sys.stderr.isatty():
        from reelway.session.progress import show_progress

        application.on_open = show_progress
    names = contextlib.ExitStack()
    if extract is not None:
        from reelway.compat.script import faces

        names.enter_context(faces())  # code written for pythiags says `import pythiags`
    extraction = _extraction(application, observe, extract, consume)
    ending = _Ending(application) if eos else None
    with names, heeding(_halting(application, ending)) as received:
        try:
            application.play()
            if paper.failure is not None:  # before there was anything to halt
                application.halt()
            _wait(application, received, ending)
        except KeyboardInterrupt:
            if not received:
                raise
        finally:
            if extraction is not None:
                extraction.close()
                if extraction.dropped or extraction.failures:
                    complain(
                        f"metadata: {extraction.consumed} of {extraction.extracted} results consumed, "
                        f"{extraction.dropped} dropped, {extraction.failures} failures"
                    )
            figures = application.session.statistics() if application.session is not None else None
            application.stop()
            if stats and figures is not None:
                from reelway.cli.statistics import table

                sys.stderr.write(table(figures))
    if paper.failure is not None and not received:  # a terminal that was closed takes nothing any more
        raise paper.failure
    return outcome_of(received)


def graph(pipe: Pipe, output: str | None, after_s: float | None) -> int:
    """Draws what would be linked; with `after_s`, what is, after playing for so long."""
    if output is not None:
        from reelway.session.graph import check_form

        check_form(output)
    application = pipe.application()
    try:
        if after_s is not None:
            application.play()
            application.wait_for(State.PLAYING)
            application.wait(after_s)
        drawn = application.graph()
    finally:
        application.stop()
    if output is None:
        print(drawn)
    else:
        drawn.write(output)
    return DONE


def _wait(application: Application, received: list[int], ending: _Ending | None) -> None:
    """Until it is over. Raises what it ended with."""
    while not application.wait(LOOK_S if ending is not None or received else 2 * LOOK_S):
        if len(received) > 1:
            return
        if ending is not None:
            ending.look()


def _halting(application: Application, ending: _Ending | None) -> Callable[[int, int], None]:
    """What a signal does: SIGINT ends the streams, where they can be; a second one, and others, stop."""

    def act(number: int, count: int) -> None:
        if ending is not None and number == signal.SIGINT and count == 1 and application.session is not None:
            ending.begin()
        elif application.session is not None:
            application.halt()
        elif not application.over.is_set() and count == 1:
            raise KeyboardInterrupt  # there is nothing to halt yet

    return act


class _Ending:
    """The end that `-e` asks for: of every source, and not of those alone that are awake."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._until: float | None = None

    def begin(self) -> None:
        """Tells the sources."""
        self._until = time.monotonic() + PATIENCE_S
        self._application.send_eos()

    def look(self) -> None:
        """Stops the pipeline where a source has not ended in time."""
        session = self._application.session
        if self._until is None or time.monotonic() < self._until or session is None:
            return
        self._until = None
        nodes = tuple(session._scheduler.nodes)
        waiting = [node.filter.name for node in nodes if node.is_source and not node.done]
        if waiting:
            log.warning("%s still waits, %g s after the end was asked for", ", ".join(waiting), PATIENCE_S)
            self._application.halt()


class _Paper:
    """Standard output, as callbacks write on it: where that is full or nobody reads it, the pipeline ends."""

    def __init__(self, application: Application) -> None:
        self.failure: OSError | None = None
        self._application = application

    def say(self, line: str) -> None:
        if self.failure is None:
            try:
                print(line, flush=True)
            except OSError as failure:
                self.failure = failure
                self._application.halt()


def _print_on(application: Application, paper: _Paper, *, messages: bool, caps: bool, tags: bool) -> None:
    if messages:
        application.bus.connect((), lambda message: paper.say(f"message {message.number}: {message}"))
    if tags:
        application.bus.connect("tag", lambda message: _print_tags(message, paper))
    if caps:
        told: set[tuple[str, str]] = set()

        def look(_message: Message) -> None:
            for element in application.pipeline:
                for pad in element.pads:
                    said = application.query.caps(pad)
                    place = f"{element.name}.{pad.name}"
                    if said is not None and (place, str(said)) not in told:
                        told.add((place, str(said)))
                        paper.say(f"{place}: caps = {said}")

        application.bus.connect(("async-done", "eos"), look)


def _print_tags(message: Message, paper: _Paper) -> None:
    paper.say(f"tags found by {message.name}:")
    for name, value in message["tags"].items():
        paper.say(f"  {name}: {value}")


def _dump_on(application: Application) -> None:
    """Draws the graph at each change of state, where the environment says so."""
    folder = next((os.environ[name] for name in DOT_FOLDERS if os.environ.get(name)), None)
    if folder is None:
        return
    begun = time.monotonic()

    def dump(old: State, new: State) -> None:
        if application.session is None:
            return
        seconds = time.monotonic() - begun
        minutes = int(seconds) // 60
        at = f"{minutes // 60}.{minutes % 60:02}.{seconds % 60:012.9f}"
        try:
            application.graph().write(Path(folder) / f"{at}-launch.{old}_{new}.dot")
        except (ReelwayError, OSError) as error:  # what plays is worth more than its picture
            application.on_state = None
            complain(f"no graphs are drawn: {getattr(error, 'message', '') or error}")

    application.on_state = dump


def _extraction(
    application: Application, observe: str | None, extract: str | None, consume: str | None
) -> Any:
    if observe is None and extract is None and consume is None:
        return None
    from reelway.session.application.metadata import extraction_of

    if observe is None or extract is None:
        raise OptionError(
            "--obs and --ext belong together",
            hint="--obs NAME of an element, --ext module:Producer, --proc module:Consumer",
        )
    return extraction_of(application, observe, extract, consume)
