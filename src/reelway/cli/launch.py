"""`launch` and `graph`: pipelines in gst-launch's language."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from reelway.cli.outcome import DONE, INTERRUPTED, TERMINATED, Misuse, complain
from reelway.errors import OpenError, OptionError, ReelwayError
from reelway.graph import pipelinetext, placeholders
from reelway.graph.states import State
from reelway.session.application.application import Application
from reelway.session.application.build import build
from reelway.session.logs import set_logs

if TYPE_CHECKING:
    from reelway.session.application.bus import Message

__all__ = ["Pipe", "graph", "launch"]

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
    with names, _signals(application, eos) as received:
        try:
            application.play()
            if paper.failure is not None:  # before there was anything to halt
                application.halt()
            application.wait_for(State.PLAYING)
            _wait(application, received)
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
    if paper.failure is not None:
        raise paper.failure
    if signal.SIGTERM in received:
        return TERMINATED
    if received:
        complain("interrupted")
        return INTERRUPTED
    return DONE


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


def _wait(application: Application, received: list[int]) -> None:
    while not application.wait(None if not received else 0.2):
        if len(received) > 1:
            return


@contextlib.contextmanager
def _signals(application: Application, eos: bool) -> Iterator[list[int]]:
    """SIGINT ends the streams (`eos`) or stops; a second one, and SIGTERM, stop. The list says what came."""
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if eos and number == signal.SIGINT and len(received) == 1:
            application.send_eos()
        elif application.session is not None:
            application.halt()
        else:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
