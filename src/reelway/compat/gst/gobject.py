"""The namespace GObject: objects, properties, signals, types; and the names of GLib that it used to have."""

# ruff: noqa: F401 - what is imported here are names of GObject

from __future__ import annotations

from typing import Any

from reelway.compat.gst import glib
from reelway.compat.gst.enums import GEnum, GFlags
from reelway.compat.gst.gtypes import TYPES, GType, ParamFlags, ParamSpec, gtype_of
from reelway.compat.gst.names import namespace_getattr, show_as
from reelway.compat.gst.objects import Object, Property
from reelway.compat.gst.signals import FLAGS, Signal, SignalSpec

GObject = Object
InitiallyUnowned = Object
property = Property
SignalOverride = Signal
ParamSpecBase = ParamSpec
ConnectFlags: Any = FLAGS["ConnectFlags"]
SignalFlags: Any = FLAGS["SignalFlags"]
BindingFlags: Any = FLAGS["BindingFlags"]


class Value:
    """A value with its type: `Value(int, 3)`."""

    def __init__(self, value_type: Any = None, py_value: Any = None) -> None:
        self.value_type = gtype_of(value_type)
        self._value = py_value

    @classmethod
    def init(cls, value_type: Any) -> Value:
        """An empty one of that type."""
        return cls(value_type)

    def set_value(self, py_value: Any) -> None:
        """Sets it."""
        self._value = py_value

    def get_value(self) -> Any:
        """What it holds."""
        return self._value

    set_int = set_uint = set_string = set_boolean = set_double = set_float = set_value
    set_int64 = set_uint64 = set_object = set_boxed = set_value
    get_int = get_uint = get_string = get_boolean = get_double = get_float = get_value
    get_int64 = get_uint64 = get_object = get_boxed = get_value

    def __repr__(self) -> str:
        return f"<Value ({self.value_type.name}) {self._value!r}>"


def type_register(kind: type, type_name: str = "") -> type:
    """Registers a class; declaring one has done so already, so this only gives it a name."""
    if type_name:
        kind.__gtype__ = GType(type_name, kind)  # type: ignore[attr-defined]
    return kind


def type_from_name(name: str) -> GType:
    """The type that is called so."""
    return GType.from_name(name)


def type_name(kind: Any) -> str:
    """What a type is called."""
    return gtype_of(kind).name


def type_is_a(kind: Any, base: Any) -> bool:
    """True where `kind` is `base` or derived from it."""
    return gtype_of(kind).is_a(base)


def list_properties(kind: Any) -> list[ParamSpec]:
    """What is known of the properties of a class or an object."""
    return list(getattr(kind, "_specs", {}).values()) if isinstance(kind, type) else kind.list_properties()


def signal_list_names(kind: Any) -> tuple[str, ...]:
    """The signals of a class."""
    return tuple(getattr(kind, "_signals", {}))


def signal_new(
    name: str, kind: Any, flags: int, return_type: Any, param_types: Any, *_accumulator: Any
) -> int:
    """Declares a signal of a class from outside."""
    spec = SignalSpec(name.replace("_", "-"), int(flags), return_type, tuple(param_types))
    kind._signals[spec.name] = spec
    return len(kind._signals)


def signal_handler_block(instance: Any, handler_id: int) -> Any:
    """As the object's `handler_block()`."""
    return instance.handler_block(handler_id)


def signal_handler_unblock(instance: Any, handler_id: int) -> None:
    """As the object's `handler_unblock()`."""
    instance.handler_unblock(handler_id)


def signal_handler_disconnect(instance: Any, handler_id: int) -> None:
    """As the object's `disconnect()`."""
    instance.disconnect(handler_id)


def signal_emit_by_name(instance: Any, name: str, *arguments: Any) -> Any:
    """As the object's `emit()`."""
    return instance.emit(name, *arguments)


def signal_accumulator_true_handled(
    _instance: Any, _before: Any, handler_return: Any, _data: Any = None
) -> tuple[bool, Any]:
    """Ends an emission at the first handler that returns something true."""
    return not handler_return, handler_return


def signal_accumulator_first_wins(
    _instance: Any, _before: Any, handler_return: Any, _data: Any = None
) -> tuple[bool, Any]:
    """Ends an emission at the first handler."""
    return False, handler_return


def threads_init() -> None:
    """Nothing: there is nothing to set up."""


globals().update({f"TYPE_{name}": gtype for name, gtype in TYPES.items()})
globals().update({f"PARAM_{name}": getattr(ParamFlags, name) for name in ParamFlags._names})
globals().update({f"SIGNAL_{name}": getattr(SignalFlags, name) for name in SignalFlags._names})
globals().update(
    {f"G_{name}": getattr(glib, name) for name in glib.__all__ if name.startswith(("MAX", "MIN"))}
)
_OF_GLIB = """
    MainLoop MainContext Error GError Source Idle Timeout IOCondition IOChannel timeout_add
    timeout_add_seconds idle_add io_add_watch source_remove main_context_default get_current_time
    markup_escape_text set_prgname get_prgname set_application_name get_application_name filename_from_uri
    PRIORITY_HIGH PRIORITY_DEFAULT PRIORITY_HIGH_IDLE PRIORITY_DEFAULT_IDLE PRIORITY_LOW
    IO_IN IO_PRI IO_OUT IO_ERR IO_HUP IO_NVAL
""".split()
globals().update({name: getattr(glib, name) for name in _OF_GLIB})

_HERE = {
    "annotations",
    "Any",
    "glib",
    "TYPES",
    "namespace_getattr",
    "show_as",
    "FLAGS",
    "SignalSpec",
    "gtype_of",
}
__all__ = [name for name in list(globals()) if not name.startswith("_") and name not in _HERE]

show_as("GObject", {name: globals()[name] for name in __all__ if name not in ("GEnum", "GFlags")})
__getattr__ = namespace_getattr("GObject", lambda: __all__, {"Closure": "pass a Python function"})
