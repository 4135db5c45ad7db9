"""Branches: parts of a pipeline that come and go while it plays."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from reelway.errors import DeadlineError, OpenError, OptionError, StateError, UnknownNameError, redact
from reelway.graph.pipelinetext import check_text
from reelway.session.application.build import build
from reelway.session.application.element import Element, Pad
from reelway.session.application.realise import Realiser

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.session.application.pipeline import Pipeline
    from reelway.session.session import Session

__all__ = ["Branch", "attach_branch", "chain_behind"]

CLOSE_S = 10.0


class Branch:
    """Elements that were put behind an element of a pipeline together, and go together."""

    def __init__(self, pipeline: Pipeline, elements: dict[str, Element], pad: Pad) -> None:
        self.pipeline = pipeline
        self.elements = list(elements.values())
        self._written = elements
        """By the names that the text gives them; in the pipeline they may have others."""
        self._pad = pad
        """The output that it hangs on."""
        self._wait: Callable[[float], bool] | None = None
        """Waits for its files; None: it is not taken out yet."""

    def __getitem__(self, name: str) -> Element:
        """The element that the text calls so, or else one of that kind. Raises UnknownNameError."""
        if name in self._written:
            return self._written[name]
        for element in self.elements:
            if name in (element.name, element.kind.name):
                return element
        raise UnknownNameError.of("element of this branch", name, self._written)

    def remove(self, timeout_s: float | None = CLOSE_S) -> None:
        """Takes it out: it finishes what it has got, and its files are closed when this returns.

        `timeout_s` None: returns at once, and it finishes in the background. From any thread but the
        application's. Raises DeadlineError where it did not finish in time; it goes on, and a second
        call only waits again.
        """
        realiser = self.pipeline.realiser
        if timeout_s is not None and realiser is not None and realiser.session._scheduler.is_here():
            raise StateError(
                "the application's own thread would wait for itself here", hint="remove(timeout_s=None)"
            )
        if self._wait is None:
            self._wait = self.pipeline.remove(*self.elements)
            self._pad.element.release(self._pad)
        if timeout_s is not None and not self._wait(timeout_s):
            raise DeadlineError(f"the branch did not finish in {timeout_s:g} s")


def attach_branch(pipeline: Pipeline, text: str, source: Element | Pad) -> Branch:
    """Puts the pipeline that `text` says behind `source`; its first element must take an input.

    Names that are taken already get a number. Raises PipelineError, LinkError, and OpenError where the folder
    of a file is missing or cannot be written to; then nothing has changed.
    """
    check_text(text)
    if not isinstance(source, (Element, Pad)):
        raise OptionError(
            f"a branch goes behind an element or a pad, not {source!r}",
            hint='pipeline.branch(text, app["t"])',
        )
    part = build(text)
    if pipeline.open:  # else that is seen when it opens
        _check_places(part.elements)
    first = part.elements[0]
    edges = [(edge.source, edge.sink) for edge in part.edges]
    elements = part.elements
    written = {element.name: element for element in elements}
    part.remove(*elements)
    for element in elements:
        if element.name in [each.name for each in pipeline]:
            element.name = pipeline.unused_name(element.kind.name)
        pipeline.add(element)
    pad: Pad | None = None
    try:
        for from_pad, to_pad in edges:
            pipeline.link(from_pad, to_pad)
        pad = source if isinstance(source, Pad) else source.free_pad("src")
        pipeline.link(pad, first)
    except Exception:
        pipeline.remove(*elements)
        if pad is not None and not isinstance(source, Pad):
            source.release(pad)
        raise
    return Branch(pipeline, written, pad)


def chain_behind(session: Session, source: Filter, text: str) -> None:
    """Puts the elements that `text` says behind a filter of `session`. Raises PipelineError, LinkError."""
    part = build(f"appsrc name=in ! {text}")
    first = part["in"]
    first.filter = first.entry = first.exit = source
    Realiser(part, session).realise()


def _check_places(elements: Iterable[Element]) -> None:
    """Raises OpenError for a file that cannot be written where it shall be: that would end all that plays."""
    for element in elements:
        place = element.get("location") if element.kind.klass == "Sink/File" else None
        if not place or "://" in place:
            continue
        path = os.fspath(place).removeprefix("file:")
        folder = os.path.dirname(path) or os.curdir
        if not os.path.isdir(folder):
            number = errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT
            raise _refused(element, path, number, f"make the folder {folder} first")
        if os.path.isdir(path):
            raise _refused(element, path, errno.EISDIR, "name a file in it")
        if not os.access(path if os.path.exists(path) else folder, os.W_OK):
            raise _refused(element, path, errno.EACCES, "check the permissions")


def _refused(element: Element, path: str, number: int, hint: str) -> OpenError:
    error = OpenError(f"{redact(path)}: {os.strerror(number)}", url=path, errno=number, hint=redact(hint))
    element.locate(error)
    return error
