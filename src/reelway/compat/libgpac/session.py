"""libgpac's FilterSession and FilterTask on a session of Reelway's."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import reelway as rw
from reelway import events
from reelway.compat.libgpac import constants as gf
from reelway.compat.libgpac import environment
from reelway.compat.libgpac.events import FilterEvent, to_reelway_event
from reelway.compat.libgpac.filters import Filter
from reelway.compat.libgpac.later import comes_later
from reelway.compat.libgpac.names import MIME_TYPES, SCHEMES, SHOWING, filter_text, find_filter_name
from reelway.compat.libgpac.values import Fraction64
from reelway.filters.tempo import Tempo

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FilterSession", "FilterTask"]

_log = logging.getLogger("reelway.compat.libgpac")
_NO_BLOCK = rw.Limits(packets=1 << 20, bytes=256 << 20, seconds=3600.0)
"""`-no-block`: nobody waits for room, until it is clear that nobody reads."""


class FilterTask:
    """A callback of the session's scheduler. Derive from it, or put an `execute` on one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.session: FilterSession | None = None

    def execute(self) -> int | None:
        """-1 when done, else milliseconds to the next call; None reads as 0."""
        return -1


class FilterSession:
    """A session. Blocking: `run()` returns when all is done. Non-blocking: each `run()` is one pass.

    `blacklist` is names with commas. Of the flags, NON_BLOCKING, FULL_LINK (a PID that nothing takes is an
    error) and PRINT_CONNECTIONS mean something here. NO_IMPLICIT, with which libgpac links a filter without
    declared sources to all that it accepts, is what Reelway does anyway; the others tune what it does in its
    own way.
    """

    def __init__(
        self, flags: int = 0, blacklist: str | None = None, nb_threads: int = 0, sched_type: int = 0
    ) -> None:
        settings = environment.settings
        self._faces: dict[rw.Filter, Filter] = {}
        self._tasks: dict[FilterTask, Callable[[], None]] = {}
        """Each with what cancels it."""
        self._tempo = Tempo()
        """What pictures and sound keep to."""
        self._blocking = settings.blocking
        self._clock_hint = 0, Fraction64()
        self._reporting = False
        self._flags = flags
        threads = nb_threads or settings.threads
        refused = [*settings.blacklist, *(blacklist or "").split(",")]
        chosen: dict[str, Any] = {
            "threads": None if threads < 0 else threads,
            "blocking": not flags & gf.GF_FS_FLAG_NON_BLOCKING,
            "blacklist": [find_filter_name(name) for name in refused if name],
            "defaults": {name: value or "true" for name, value in settings.options.items()},
            "limits": None if settings.blocking else _NO_BLOCK,
            "unlinked": "error" if flags & gf.GF_FS_FLAG_FULL_LINK else "ignore",
            "on_filter_new": self._was_added,
            "on_filter_del": self._was_removed,
        }
        self._session = _with_profile(settings.profile, chosen)

    # For who derives from it

    def on_filter_new(self, filter: Filter) -> None:
        """A filter was added."""

    def on_filter_del(self, filter: Filter) -> None:
        """A filter was closed."""

    def on_gl_activate(self, do_activate: bool) -> int:
        """Not called: no filter of Reelway's needs an OpenGL context of the script's."""
        return 0

    def _was_added(self, filter: rw.Filter) -> None:
        face = getattr(filter, "face", None)
        self._faces[filter] = face if isinstance(face, Filter) else Filter(self, filter)
        self.on_filter_new(self._faces[filter])

    def _was_removed(self, filter: rw.Filter) -> None:
        self.on_filter_del(self._to_filter(filter))
        self._faces.pop(filter, None)

    def _to_filter(self, filter: rw.Filter) -> Filter:
        """The one face of `filter`."""
        if filter not in self._faces:
            self._faces[filter] = Filter(self, filter)
        return self._faces[filter]

    # Loading

    def load_src(self, URL: str, parentURL: str | None = None) -> Filter:
        """The filter that reads `URL`, which may carry options: "film.mp4:option=value"."""
        return self._to_filter(self._session.load_src(_joined(URL, parentURL)))

    def load_dst(self, URL: str, parentURL: str | None = None) -> Filter:
        """The filter that writes `URL`."""
        return self._to_filter(self._session.load_dst(_joined(URL, parentURL)))

    def load(self, fname: str) -> Filter:
        """The filter that `fname` names, with its options: "reframer:rt=on".

        Of vout and aout it is what takes the stream, and holds it back until it is due.
        """
        name, separator, options = fname.partition(":")
        if name in SHOWING:
            return self._to_filter(self._in_time(SHOWING[name] + separator + options, name))
        return self._to_filter(self._session.load(filter_text(fname)))

    def _in_time(self, text: str, name: str) -> rw.Filter:
        """A sink that shows or plays, behind a gate, on one clock with all others of the session."""
        sink = self._session.load(text)
        gate = self._session.load("gate", tempo=self._tempo, name=name)
        gate.inputs = sink.inputs  # type: ignore[misc]  # converted before it waits, not after
        gate.preferred = sink.preferred  # type: ignore[method-assign]
        gate >> sink
        return gate

    # Running

    def run(self) -> None:
        """Raises what failed, after every file is closed."""
        if not self._session.finished:
            self._session.run()
        if self._flags & gf.GF_FS_FLAG_PRINT_CONNECTIONS and self._session.finished:
            self.print_graph()

    def abort(self, flush: int = gf.GF_FS_FLUSH_NONE) -> None:
        """Ends the session. NONE drops what is in flight, ALL brings it to the sinks, FAST is in between."""
        match flush:
            case gf.GF_FS_FLUSH_ALL:
                self._session.stop("all")
            case gf.GF_FS_FLUSH_FAST:
                self._session.stop("fast")
            case _:
                self._session.stop("none")

    def delete(self) -> None:
        """Closes everything. Saying it twice changes nothing."""
        self._session.close()

    def post(self, task: FilterTask) -> None:
        """Has the scheduler call `task.execute()`, and again after the milliseconds that it returns."""
        task.session = self

        def call() -> float | None:
            result = task.execute()
            if result is None:  # is 0, but a task that never says -1 shall not keep a finished session alive
                result = -1 if self._session.filters_done else 0
            if result < 0:
                self.rem_task(task)
                return None
            return result / 1_000

        call.__name__ = task.name
        self._tasks[task] = self._session.post(call)

    def rem_task(self, task: FilterTask) -> None:
        """The task is not called again."""
        task.session = None
        cancel = self._tasks.pop(task, None)
        if cancel is not None:
            cancel()

    def _after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Calls once, on the session's thread."""

        def once() -> None:
            call()

        self._session.post(once, delay_s)

    @property
    def last_task(self) -> bool:
        """Nothing is left to do but, perhaps, the task that asks."""
        return self._session.last_task

    def lock(self, lock: bool) -> None:
        """Nothing to do: filters come and go on the session's thread only."""

    # Looking

    @property
    def nb_filters(self) -> int:
        return len(self._session.filters)

    def get_filter(self, index: int) -> Filter:
        if not 0 <= index < self.nb_filters:
            raise rw.UnknownNameError(f"no filter {index} in the session", hint=f"it has {self.nb_filters}")
        return self._to_filter(self._session.filters[index])

    def reporting(self, do_report: bool) -> None:
        """Whether `print_stats` also says what each filter is doing."""
        self._reporting = do_report

    def print_stats(self) -> None:
        """Packets, bytes and time of each filter, on stderr."""
        for each in self._session.statistics().filters:
            line = f"{each.name}: {each.packets_in} packets in, {each.packets_out} out, {each.wall_s:.3f} s"
            status = f" ({each.status})" if self._reporting and each.status else ""
            sys.stderr.write(line + status + "\n")

    def print_graph(self) -> None:
        """Who feeds whom with what, on stderr."""
        sys.stderr.write(f"{self._session.graph()}\n")

    # Events

    def fire_event(self, evt: FilterEvent, filter: Filter | None = None, upstream: bool = False) -> bool:
        """Gives an event to `filter`, else to every custom filter that has `process_event`.

        With `upstream`, which is towards the sinks in libgpac, it is sent on by that filter's output PIDs.
        True where somebody takes it.
        """
        from reelway.compat.libgpac.custom import FilterCustom

        event = to_reelway_event(evt) or events.Play()
        faces = [filter] if filter else [self._to_filter(each) for each in self._session.filters]
        takers = [face for face in faces if filter or isinstance(face, FilterCustom)]
        taken = [face._fire(event, upstream) for face in takers]
        return any(taken)

    # What could be opened

    def is_supported_mime(self, mime: str) -> bool:
        return mime.partition(";")[0].strip().lower() in MIME_TYPES

    def is_supported_source(self, url: str, parent: str | None = None) -> bool:
        """True for a file that is there, and for a network address of a kind that can be read."""
        full = _joined(url, parent)
        scheme = urlsplit(full).scheme
        return scheme in SCHEMES if len(scheme) > 1 else os.path.exists(full)

    # Later

    @property
    def http_bitrate(self) -> int:
        raise comes_later("FilterSession.http_bitrate")

    @property
    def http_max_bitrate(self) -> int:
        raise comes_later("FilterSession.http_max_bitrate")

    @http_max_bitrate.setter
    def http_max_bitrate(self, value: int) -> None:
        raise comes_later("FilterSession.http_max_bitrate")

    def external_opengl_provider(self) -> None:
        raise comes_later("FilterSession.external_opengl_provider")


def _with_profile(profile: str | None, chosen: dict[str, Any]) -> rw.Session:
    """A session with the options of `profile`; with none where there is no such file, as in libgpac."""
    if profile:
        try:
            return rw.Session(profile=profile, **chosen)
        except rw.OpenError as absent:
            _log.info("%s; the session begins without it", absent)
    return rw.Session(**chosen)


def _joined(url: str, parent: str | None) -> str:
    """`url` as seen from `parent`, a URL or a path."""
    if not parent or urlsplit(url).scheme or os.path.isabs(url):
        return url
    if urlsplit(parent).netloc:
        return urljoin(parent, url)
    return os.path.join(os.path.dirname(parent), url)
