"""GObject's signals: handlers by name and detail, class handlers, accumulators.

A handler runs on the thread that emits. What it raises is shown and the emission goes on, as gi does it.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reelway.compat.gst.enums import GFlags, enumerations
from reelway.compat.gst.mainloop import report_exception
from reelway.compat.gst.names import nearest_text

__all__ = ["Handlers", "Signal", "SignalFlags", "SignalSpec", "signal_spec"]

_TABLE = """
SignalFlags G_SIGNAL_ RUN_FIRST=1 RUN_LAST=2 RUN_CLEANUP=4 NO_RECURSE=8 DETAILED=16 ACTION=32 NO_HOOKS=64
    MUST_COLLECT=128 DEPRECATED=256 ACCUMULATOR_FIRST_RUN=131072
ConnectFlags G_CONNECT_ DEFAULT=0 AFTER=1 SWAPPED=2
BindingFlags G_BINDING_ DEFAULT=0 BIDIRECTIONAL=1 SYNC_CREATE=2 INVERT_BOOLEAN=4
"""
FLAGS: dict[str, Any] = enumerations("GObject", _TABLE, GFlags)
SignalFlags: Any = FLAGS["SignalFlags"]


@dataclass
class SignalSpec:
    """A signal as declared. `arguments` None: any number of them."""

    name: str
    flags: int = 2
    returns: Any = None
    arguments: tuple[Any, ...] | None = ()
    accumulator: Callable[..., Any] | None = None
    accumulator_data: Any = None


def signal_spec(name: str, described: Any) -> SignalSpec:
    """Of an entry of `__gsignals__`: (flags, return type, argument types, [accumulator, [data]])."""
    if isinstance(described, SignalSpec):
        return described
    flags, returns, arguments, *rest = described
    return SignalSpec(
        name.replace("_", "-"),
        int(flags),
        returns,
        tuple(arguments or ()),
        rest[0] if rest else None,
        rest[1] if len(rest) > 1 else None,
    )


class Signal:
    """`GObject.Signal`: a signal declared in a class body, as a decorator of its class handler or without."""

    def __init__(
        self,
        name: Any = "",
        func: Callable[..., Any] | None = None,
        flags: int = SignalFlags.RUN_FIRST,
        return_type: Any = None,
        arg_types: Any = None,
        doc: str = "",
        accumulator: Callable[..., Any] | None = None,
        accu_data: Any = None,
    ) -> None:
        if callable(name):
            name, func = "", name
        self.name = str(name)
        self.func = func
        self.flags, self.return_type, self.arg_types = flags, return_type, arg_types
        self.accumulator, self.accu_data = accumulator, accu_data
        self.__doc__ = doc or (func.__doc__ if func else "")

    def __call__(self, func: Callable[..., Any]) -> Signal:
        self.func = func
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else BoundSignal(instance, self.name)

    def spec(self) -> SignalSpec:
        """As the class has it."""
        returns, arguments = self.return_type, self.arg_types
        if self.func is not None and arguments is None:
            noted = dict(getattr(self.func, "__annotations__", {}))
            returns = noted.pop("return", returns)
            arguments = tuple(noted.values())
        name = self.name.replace("_", "-")
        accumulator, data = self.accumulator, self.accu_data
        return SignalSpec(name, int(self.flags), returns, tuple(arguments or ()), accumulator, data)


class BoundSignal:
    """A signal of one object: `obj.changed.connect(...)`, `obj.changed.emit(...)`."""

    def __init__(self, instance: Any, name: str) -> None:
        self._instance, self._name = instance, name

    def connect(self, callback: Callable[..., Any], *user_data: Any) -> int:
        """As the object's `connect()`."""
        return int(self._instance.connect(self._name, callback, *user_data))

    def connect_detailed(self, callback: Callable[..., Any], detail: str, *user_data: Any) -> int:
        """Only for emissions with this detail."""
        return int(self._instance.connect(f"{self._name}::{detail}", callback, *user_data))

    def disconnect(self, handler_id: int) -> None:
        """As the object's `disconnect()`."""
        self._instance.disconnect(handler_id)

    def emit(self, *arguments: Any) -> Any:
        """As the object's `emit()`."""
        return self._instance.emit(self._name, *arguments)

    __call__ = emit


@dataclass
class _Handler:
    id: int
    signal: str
    detail: str
    callback: Callable[..., Any]
    user_data: tuple[Any, ...]
    after: bool
    swapped: Any = None
    blocked: int = 0
    gone: bool = field(default=False)


class Handlers:
    """The handlers of one object. Connecting and emitting are safe from any thread."""

    _ids = itertools.count(1)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[int, _Handler] = {}
        self._stopped = threading.local()

    def add(
        self,
        signal: str,
        detail: str,
        callback: Callable[..., Any],
        user_data: tuple[Any, ...],
        after: bool,
        swapped: Any = None,
    ) -> int:
        """Keeps a handler; returns its id."""
        with self._lock:
            handler = _Handler(next(self._ids), signal, detail, callback, user_data, after, swapped)
            self._all = {**self._all, handler.id: handler}
        return handler.id

    def remove(self, handler_id: int) -> bool:
        """Forgets a handler; False where there is none of that id."""
        with self._lock:
            handler = self._all.get(handler_id)
            if handler is None:
                return False
            handler.gone = True
            self._all = {key: value for key, value in self._all.items() if key != handler_id}
        return True

    def remove_callback(self, callback: Callable[..., Any]) -> int:
        """Forgets the handlers with this callback; how many there were."""
        ids = [handler.id for handler in self._all.values() if handler.callback == callback]
        return sum(self.remove(each) for each in ids)

    def has(self, handler_id: int) -> bool:
        """True for the id of a handler."""
        return handler_id in self._all

    def block(self, handler_id: int, by: int) -> None:
        """Counts up or down how often it is blocked."""
        handler = self._all.get(handler_id)
        if handler is not None:
            handler.blocked = max(0, handler.blocked + by)

    def wanted(self, signal: str) -> bool:
        """True where somebody listens to that signal."""
        return any(handler.signal == signal for handler in self._all.values())

    def stop(self, signal: str) -> None:
        """Ends the emission of `signal` that runs on this thread."""
        self._stopped.name = signal

    def run(self, spec: SignalSpec, detail: str, instance: Any, arguments: tuple[Any, ...]) -> Any:
        """Emits: calls class handler and handlers; returns what the last, or the accumulator, says."""
        result: Any = None
        for call in self._calls(spec, detail, instance, arguments):
            try:
                answer = call()
            except BaseException:  # noqa: BLE001 - shown, and an exit goes on
                report_exception()
                continue
            if spec.accumulator is not None:
                goes_on, result = self._gathered(spec, instance, result, answer)
                if not goes_on:
                    break
            elif answer is not None or result is None:
                result = answer
            if getattr(self._stopped, "name", None) == spec.name:
                self._stopped.name = None
                break
        return result

    @staticmethod
    def _gathered(spec: SignalSpec, instance: Any, before: Any, answer: Any) -> tuple[bool, Any]:
        assert spec.accumulator is not None
        gathered = spec.accumulator(instance, before, answer, spec.accumulator_data)
        return gathered if isinstance(gathered, tuple) else (bool(gathered), answer)

    def _calls(
        self, spec: SignalSpec, detail: str, instance: Any, arguments: tuple[Any, ...]
    ) -> Iterator[Callable[[], Any]]:
        own = getattr(instance, f"do_{spec.name.replace('-', '_')}", None) or class_closure(instance, spec)
        ours = [h for h in self._all.values() if h.signal == spec.name and h.detail in ("", detail)]

        def bound(handler: _Handler) -> Callable[[], Any]:
            if handler.swapped is not None:
                return lambda: handler.callback(handler.swapped, *arguments, *handler.user_data)
            return lambda: handler.callback(instance, *arguments, *handler.user_data)

        class_call = None if own is None else (lambda: own(*arguments))
        if class_call and spec.flags & SignalFlags.RUN_FIRST:
            yield class_call
        for handler in ours:
            if not (handler.after or handler.blocked or handler.gone):
                yield bound(handler)
        if class_call and spec.flags & SignalFlags.RUN_LAST and not spec.flags & SignalFlags.RUN_FIRST:
            yield class_call
        for handler in ours:
            if handler.after and not (handler.blocked or handler.gone):
                yield bound(handler)
        if class_call and spec.flags & SignalFlags.RUN_CLEANUP and not spec.flags & 3:
            yield class_call


def class_closure(instance: Any, spec: SignalSpec) -> Callable[..., Any] | None:
    """The function that `GObject.Signal` decorated, bound."""
    declared = type(instance).__dict__.get(spec.name.replace("-", "_"))
    for kind in type(instance).__mro__:
        declared = kind.__dict__.get(spec.name.replace("-", "_"))
        if isinstance(declared, Signal):
            break
    if isinstance(declared, Signal) and declared.func is not None:
        func = declared.func
        return lambda *arguments: func(instance, *arguments)
    return None


def check_arguments(spec: SignalSpec, arguments: tuple[Any, ...]) -> None:
    """Raises TypeError where an emission has not as many arguments as the signal."""
    if spec.arguments is not None and len(arguments) != len(spec.arguments):
        raise TypeError(
            f"{len(spec.arguments)} parameters needed for signal {spec.name}; {len(arguments)} given"
        )


def unknown_signal(instance: Any, name: str, known: list[str]) -> TypeError:
    """The error for a signal that the object does not have."""
    return TypeError(f"{instance!r}: unknown signal name: {name}{nearest_text(name, known)}")


@contextlib.contextmanager
def blocked(handlers: Handlers, handler_id: int) -> Iterator[None]:
    """`with obj.handler_block(id):` - unblocks at the end."""
    try:
        yield
    finally:
        handlers.block(handler_id, -1)
