"""`record`: files of events, each from before it until after it."""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from reelway.cli.outcome import DONE, FAILURE, Misuse, complain, outcome_of
from reelway.cli.signals import heeding
from reelway.errors import OpenError, OptionError, ReelwayError, redact
from reelway.graph.filter import Filter
from reelway.graph.pace import keeps_pace
from reelway.graph.pid import Pid
from reelway.record import Recorder, RecordingInfo
from reelway.record.remote import OnHttp
from reelway.record.triggers import OnMotion, OnSignal
from reelway.runtime.clock import SIGNAL_S
from reelway.runtime.stopping import Flush
from reelway.session.loading import load_word
from reelway.session.logs import set_logs
from reelway.session.session import Session

__all__ = ["FORMATS", "NAME", "Events", "declare", "record", "repair", "work"]

FORMATS = ("mp4", "mkv", "webm", "ts", "mov")
NAME = "{name}-{time:%Y%m%d-%H%M%S}"
"""Of a file, without its ending."""
ALL = "all"
"""The folder in that of the events with what is recorded all the time."""
FINISH_S = 20.0
"""So long the end of the command waits for files, unless it is told to hurry."""
LOOK_S = 0.05
MOST_S = 1e6
TOKEN = "REELWAY_TOKEN"
LIMITS = ("keep_days", "keep_files", "keep_bytes", "min_free")


def declare(parser: argparse.ArgumentParser, usual: Callable[[argparse.ArgumentParser], None]) -> None:
    """The options of `reelway record`; `usual` declares those of every session."""
    add = parser.add_argument
    add("--before", metavar="S", type=float, default=2.0, help="from so many seconds before the event; 2")
    add("--after", metavar="S", type=float, default=2.0, help="until so many seconds after it; 2")
    add("--every", metavar="S", type=float, help="an event every so many seconds")
    add(
        "--on",
        metavar="WHAT",
        action="append",
        default=[],
        help="what an event is: signal:USR1, http:PORT, motion, motion:zones=0.5x1+0+0; may be said again",
    )
    add("--segments", metavar="S", type=float, help="besides, all there is, in files of S seconds in DIR/all")
    add("--format", choices=FORMATS, default="mp4", help="of the files; mp4")
    add("--exact", action="store_true", help="begin at the very picture, not at a keyframe before it")
    add("--name", metavar="TEMPLATE", default=NAME, help="of the files: {name}, {time:%%H%%M%%S}, {number}")
    add("--every-picture", action="store_true", help="look for motion in all pictures, not in keyframes only")
    add("--token", metavar="TOKEN", help=f"what a request by HTTP must bring; safer in {TOKEN}")
    add("--keep-days", metavar="N", type=float, help="remove recordings in DIR that are older")
    add("--keep-files", metavar="N", type=int, help="keep so many of them, the newest")
    add("--keep-bytes", metavar="N", type=_bytes, help="keep so much of them: 500M, 20G")
    add("--min-free", metavar="N", type=_bytes, default=0, help="of its disk leave so much free: 1G")
    add("--repair", metavar="DIR", help="finish the files in DIR that a crash left, and do nothing else")
    usual(parser)


def work(options: argparse.Namespace, words: Sequence[str]) -> Callable[[], int]:
    """What the options and the other words ask for. Raises Misuse, OptionError."""
    if options.repair is not None:
        if words:
            raise Misuse(f"{words[0]!r} is one too many", hint="reelway record --repair DIR")
        return lambda: repair(options.repair, log=options.log, quiet=options.quiet)
    events = Events.of(options, words)
    return lambda: record(events, threads=options.threads, log=options.log, quiet=options.quiet)


@dataclass(frozen=True, slots=True)
class Events:
    """What to record, when, and where to."""

    urls: Sequence[str]
    folder: str
    before_s: float = 2.0
    after_s: float = 2.0
    every_s: float | None = None
    on: Sequence[str] = ()
    format: str = "mp4"
    exact: bool = False
    name: str = NAME
    every_picture: bool = False
    token: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)
    """What is kept in the folder, as a Recorder is told."""
    segment_s: float | None = None

    @classmethod
    def of(cls, options: argparse.Namespace, words: Sequence[str]) -> Events:
        """From the words of the command line. Raises Misuse, OptionError."""
        if len(words) < 2:
            missing = "DIR" if words else "URL and DIR"
            raise Misuse(f"{missing} must be given", hint="reelway record URL... DIR --every 60")
        if not options.on and options.every is None and options.segments is None:
            raise Misuse(
                "nothing says when to record", hint="--every 60, --on motion, --on signal:USR1, --segments 60"
            )
        if "://" in words[-1] or "\0" in words[-1]:
            raise Misuse(f"{redact(words[-1])!r} cannot be the folder", hint="the last word has to be one")
        for name in ("before", "after", "every", "segments"):
            value = getattr(options, name)
            wrong = value is not None and not 0 <= value < MOST_S
            if wrong or (value == 0 and name in ("every", "segments")):
                raise Misuse(f"--{name} is {value:g}", hint=f"so many seconds, at most {MOST_S:g}")
        for each in options.on:
            if each.partition(":")[0] not in ("signal", "http", "motion"):
                raise Misuse(f"no event {each!r}", hint="signal:USR1, http:PORT or motion")
        return cls(
            words[:-1],
            words[-1],
            options.before,
            options.after,
            options.every,
            options.on,
            options.format,
            options.exact,
            _checked(options.name),
            options.every_picture,
            options.token or os.environ.get(TOKEN, ""),
            {name: getattr(options, name) for name in LIMITS},
            options.segments,
        )

    def template(self, *folders: str) -> str:
        """Of the paths of files."""
        ended = self.name.lower().endswith(tuple(f".{each}" for each in FORMATS))
        name = self.name if ended else f"{self.name}.{self.format}"
        folder = re.sub(r"[{}]", r"\g<0>\g<0>", self.folder)  # there it has no braces of a template
        return os.path.join(folder, *folders, name)

    @property
    def segments(self) -> dict[str, Any]:
        """What a Recorder is told of them."""
        if self.segment_s is None:
            return {}
        return {"segments": self.template(ALL), "segment_s": self.segment_s}


def record(events: Events, *, threads: int | None, log: str | None, quiet: bool) -> int:
    """Records until the sources end, or a signal comes; says each file that is complete on stdout."""
    set_logs(f"all@{'quiet' if quiet else 'warning'}{':' + log if log else ''}")
    try:
        os.makedirs(events.folder, exist_ok=True)
    except OSError as error:
        raise OpenError(f"{events.folder} cannot be made: {error.strerror}", errno=error.errno) from error
    told = _Told(quiet)
    recorders: dict[str, Recorder] = {}
    playing: list[_Playing] = []

    def stop(flush: Flush = "all") -> None:
        for each in playing:
            each.session.stop(flush)

    told.stop = stop
    with ExitStack() as opened, heeding(lambda _, count: stop("all" if count == 1 else "none")) as received:
        for name, url in zip(_names(events.urls), events.urls, strict=True):
            session = opened.enter_context(Session(threads=_share(threads, len(events.urls))))
            source = load_word(session, url)
            recorders[name] = _recorder(session, source, events, name, told)
            playing.append(_Playing(session, source, name, url, told if len(events.urls) > 1 else None))
        _listen(events, recorders, opened, quiet)
        try:
            for each in playing:
                each.start()
            for each in playing:
                each.join()
        finally:
            _finish(recorders.values(), received)
    told.check()
    if len(playing) == 1 and playing[0].error is not None:
        raise playing[0].error
    return outcome_of(received) or (FAILURE if told.failed else DONE)


def repair(folder: str, *, log: str | None, quiet: bool) -> int:
    """Finishes what a crash left in `folder`; says what became of each file."""
    from reelway.record import repair as repaired

    set_logs(f"all@{'quiet' if quiet else 'warning'}{':' + log if log else ''}")
    failed = False
    for each in repaired(folder):
        length = f", {each.duration_s:.1f} s" if each.outcome in ("repaired", "finished") else ""
        print(f"{each.path}: {each.outcome}{length}", flush=True)
        if each.error is not None:
            failed = True
            if quiet:
                complain(str(each.error), each.error.hint)
    return FAILURE if failed else DONE


def _recorder(session: Session, source: Filter, events: Events, name: str, told: _Told) -> Recorder:
    motions = [each for each in events.on if each.partition(":")[0] == "motion"]
    if motions:
        source = _paced(session, source)
    every = None if events.every_s is None else _Every(events.every_s, events.before_s)
    recorder = Recorder(
        session,
        source,
        events.template(),
        before_s=events.before_s,
        after_s=events.after_s,
        exact=events.exact,
        trigger=every,
        on_finished=told.finished,
        on_failed=told.failure,
        name=name,
        **events.limits,
        **events.segments,
    )
    if every is not None:
        every.recorder = recorder
    for each in motions:
        OnMotion(session, source, recorder, session.load(each), every_picture=events.every_picture)
    return recorder


def _listen(events: Events, recorders: dict[str, Recorder], triggers: ExitStack, quiet: bool) -> None:
    """Begins to wait for what comes from outside."""
    for each in events.on:
        kind, _, what = each.partition(":")
        if kind == "signal":
            triggers.callback(OnSignal(recorders.values(), what or "USR1").close)
        elif kind == "http":
            if not (what.isascii() and what.isdigit()) or len(what) > 5:
                raise OptionError(f"{each!r} says no port", hint="http:8080; 0 is any that is free")
            door = OnHttp(recorders, int(what), events.token)
            triggers.callback(door.close)
            if not events.token:
                print(f"the token is {door.token}", file=sys.stderr, flush=True)
            if not quiet or what == "0":
                print(f"POST {door.url}/record records", file=sys.stderr, flush=True)


def _finish(recorders: Iterable[Recorder], received: Sequence[int]) -> None:
    """Waits until all files are complete; a second signal says that it has waited enough."""
    until_s = time.monotonic() + FINISH_S
    for recorder in recorders:
        while not recorder.settled(LOOK_S) and time.monotonic() < until_s and len(received) < 2:
            pass


class _Playing:
    """A source in a session and a thread of its own: one that cannot be opened, or fails, ends no other."""

    def __init__(self, session: Session, source: Filter, name: str, url: str, told: _Told | None) -> None:
        """`told`, where there is one, says at once why it ended; `error` holds it."""
        self.session = session
        self.error: BaseException | None = None
        self._url = redact(str(getattr(source, "src", url)))
        self._told = told
        self._thread = threading.Thread(target=self._run, name=f"reelway-{name}", daemon=True)
        self.start = self._thread.start

    def join(self) -> None:
        """Until it is over. It looks up now and then: no signal ends a sleep that it comes just before."""
        while self._thread.is_alive():
            self._thread.join(SIGNAL_S)

    def _run(self) -> None:
        try:
            self.session.run()
        except BaseException as error:  # noqa: BLE001 - the others go on
            self.error = error
            if self._told is not None:
                self._told.lost(self._url, error)


class _Told:
    """What recorders say at the end of files; from threads of theirs."""

    def __init__(self, quiet: bool) -> None:
        self.failed = 0
        self.stop: Any = None
        self._quiet = quiet
        self._error: OSError | None = None
        self._lock = threading.Lock()
        """Keeps lines whole, and the counts; who prints may wait under it."""

    def finished(self, path: str, info: RecordingInfo) -> None:
        try:
            with self._lock:
                print(f"{path}: {info.duration_s:.1f} s", flush=True)
        except OSError as error:  # nobody reads it any more
            self._error = error
            self.stop()

    def failure(self, path: str, error: Exception) -> None:
        with self._lock:
            self.failed += 1
            if self._quiet:  # else the log says it
                complain(str(error), getattr(error, "hint", None))

    def lost(self, url: str, error: BaseException) -> None:
        """A source has ended before its time."""
        said = str(error) or type(error).__name__
        with self._lock:
            self.failed += 1
            complain(said if url in said else f"{url}: {said}", getattr(error, "hint", None))

    def check(self) -> None:
        """Raises what went wrong with stdout."""
        if self._error is not None:
            raise self._error


class _Every:
    """An event every so often, the first one when there is something before it; a file for each."""

    def __init__(self, every_s: float, first_s: float) -> None:
        self.recorder: Recorder | None = None
        self._every_s = every_s
        self._first_s = first_s
        self._next_s: float | None = None

    def __call__(self, _packet: Any, pid: Any) -> None:
        now_s = pid.filter.context.now()
        if self._next_s is None:
            self._next_s = now_s + self._first_s
        if now_s < self._next_s or self.recorder is None:
            return
        missed = (now_s - self._next_s) // self._every_s  # while nothing came
        self._next_s += (missed + 1) * self._every_s
        try:
            self.recorder.record({"every": self._every_s}, extend=False)
        except ReelwayError as error:
            complain(str(error), error.hint)


def _bytes(text: str) -> int:
    """`500M`, `1.5G` or a number, for argparse."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)([kMGT]?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes: 500M, 20G")
    return int(float(found[1]) * 1000 ** " kMGT".index(found[2] or " "))


def _checked(template: str) -> str:
    """`template`, where it can be filled. Raises OptionError."""
    try:
        filled = template.format(time=datetime.now(UTC), number=1, name="name")
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise OptionError(
            f"--name {template!r} cannot be filled: {what}", hint=f"as in {NAME}; braces are doubled"
        ) from None
    if not os.path.basename(filled) or "\0" in filled:
        raise OptionError(f"--name {template!r} names no file", hint=f"as in {NAME}")
    return template


def _names(urls: Sequence[str]) -> Iterator[str]:
    """A name for the files of each: its host, its file's name, or the name of its filter."""
    seen: dict[str, int] = {}
    for url in urls:
        try:
            host = urlsplit(url).hostname if "://" in url else None
        except ValueError:
            host = None
        file = url.removeprefix("shared:").partition("?")[0]
        plain = host or os.path.splitext(os.path.basename(file))[0].partition(":")[0]
        name = re.sub(r"[^\w.-]", "_", plain).strip(".") or "stream"
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}-{seen[name]}"


def _paced(session: Session, source: Filter) -> Filter:
    """Behind it what has no pace of its own comes in real time; whether it has one is known with its PIDs."""
    paced = session.load("reframer")
    session.chain(source, paced)

    def look(pid: Pid) -> None:
        if pid.filter is source:
            paced.update("rt", "off" if keeps_pace(source) else "sync")

    session.on_pid_new = look
    return paced


def _share(threads: int | None, sources: int) -> int | None:
    """Of the threads for heavy filters, those for each source."""
    if sources == 1 or threads == 0:
        return threads
    return max(1, (threads or os.cpu_count() or 1) // sources)
