"""What code at a pad finds out, given to other code in the background, through a bounded queue.

The producer runs on the media path; the consumer on a thread of its own, so that a slow one holds up nobody:
what it misses is counted.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from reelway.errors import OpenError, OptionError, UnknownNameError
from reelway.filters.mailbox import Mailbox
from reelway.media.packet import Packet

if TYPE_CHECKING:
    from reelway.session.application.application import Application
    from reelway.session.application.element import Pad

__all__ = ["Extraction", "extraction_of", "load_code"]

log = logging.getLogger("reelway.application")

MAX_WAITING = 64
"""So many results wait for the consumer; then the oldest go."""
STOP_S = 2.0


class Extraction:
    """`extract(pad, packet)` sees each packet at a pad, and `consume(result)` gets what it returns.

    None as a result is nothing. Where one of them raises, that is logged once and counted, and media go on.
    """

    def __init__(
        self,
        pad: Pad,
        extract: Callable[[Pad, Packet], Any],
        consume: Callable[[Any], Any] | None = None,
        *,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.extracted = 0
        """Results that there were."""
        self.consumed = 0
        self.dropped = 0
        """Results that the consumer was too slow for."""
        self.failures = 0
        """Calls that raised, of either."""
        self._extract, self._consume = extract, consume
        self._box: Mailbox[Any] = Mailbox(max_waiting)
        self._probe = pad.add_probe("packet", self._see)
        self._thread: threading.Thread | None = None
        if consume is not None:
            self._thread = threading.Thread(target=self._work, name="reelway-metadata", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """No more results; those that wait are consumed, up to a deadline. Not on the consumer's thread."""
        self._probe.remove()
        self._box.close("the extraction is over")
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(STOP_S)
            if self._thread.is_alive():
                self.dropped += len(self._box)
                log.warning(
                    "the consumer did not come back in %g s: %d results are lost", STOP_S, len(self._box)
                )

    def _see(self, pad: Pad, packet: Packet) -> None:
        try:
            result = self._extract(pad, packet)
        except Exception as cause:  # noqa: BLE001 - a user's code does not stop the media
            self._failed("the producer", cause)
            return
        if result is None:
            return
        self.extracted += 1
        if self._consume is None:
            return
        while not self._box.offer(result) and not self._box.closed:
            if self._box.poll() is not None:
                self.dropped += 1

    def _work(self) -> None:
        assert self._consume is not None
        while (result := self._box.take(None)) is not None:
            try:
                self._consume(result)
                self.consumed += 1
            except Exception as cause:  # noqa: BLE001 - likewise
                self._failed("the consumer", cause)

    def _failed(self, whose: str, cause: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            log.error("%s of metadata failed: further failures are only counted", whose, exc_info=cause)


def load_code(text: str) -> Any:
    """What `module:Name` or `file.py:Name` names. Raises OpenError, OptionError, UnknownNameError."""
    where, colon, name = text.rpartition(":")
    if not colon or not where or not name:
        raise OptionError(f"{text!r} names no code", hint="write module:Name or path/to/file.py:Name")
    module = _module(where)
    if not hasattr(module, name):
        raise UnknownNameError.of(f"name in {where}", name, [each for each in dir(module) if each[0] != "_"])
    return getattr(module, name)


def _module(where: str) -> ModuleType:
    """The module, or the file as one; a file is loaded once, so that what it holds is shared."""
    path = Path(where)
    try:
        if path.suffix == ".py":
            return _file(path)
        if "" not in sys.path:
            sys.path.insert(0, "")
        return importlib.import_module(where)
    except OpenError:
        raise
    except ModuleNotFoundError as error:
        raise OpenError(
            f"no module {where}: {error}", url=where, hint="it is looked for in this folder, too"
        ) from None
    except Exception as error:  # whatever a user's module does while it is loaded
        raise OpenError(f"{where} cannot be loaded: {type(error).__name__}: {error}", url=where) from error


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise OpenError(f"no file {path}", url=str(path))
    place = path.resolve()
    if place in _files:
        return _files[place]
    spec = importlib.util.spec_from_file_location(path.stem, place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    mine = sys.modules.setdefault(path.stem, module) is module  # dataclasses look there for it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if mine:
            del sys.modules[path.stem]
        raise
    return _files.setdefault(place, module)


_files: dict[Path, ModuleType] = {}
"""Loaded from files by their names."""


def extraction_of(
    application: Application, observe: str, extract: str, consume: str | None = None
) -> Extraction:
    """At the output of the element called `observe` (its input, where it is a sink), with code by name.

    A class with `extract_metadata(pad, packet)`, or a function of the same two; a class with
    `incoming(result)`, or a function. Raises what `load_code` does, OptionError, and OpenError for a class
    whose object cannot be made.
    """
    element = application[observe]
    pads = [pad for pad in element.pads if pad.edge is not None] or element.pads
    pads = [pad for pad in pads if pad.direction == "src"] or pads
    if not pads:
        raise OptionError(f"{observe} has no pad", hint="name an element that something passes through")
    producer = _callable(load_code(extract), "extract_metadata", extract)
    consumer = _callable(load_code(consume), "incoming", consume) if consume else None
    return Extraction(pads[0], producer, consumer)


def _callable(code: Any, method: str, text: str) -> Callable[..., Any]:
    """The method of an object of the class, or the function itself."""
    try:
        made = code() if isinstance(code, type) else code
    except Exception as error:  # whatever a user's class does when an object of it is made
        raise OpenError(
            f"{text}() failed: {type(error).__name__}: {error}",
            url=text,
            hint="it is called without arguments; --debug shows where it failed",
        ) from error
    found = getattr(made, method, made)
    if not callable(found):
        raise OptionError(f"{text} cannot be called", hint=f"a function, or a class with {method}()")
    return found  # type: ignore[no-any-return]
