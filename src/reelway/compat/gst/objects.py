"""`GObject.Object`: properties, signals and their declaration in a class."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from reelway.compat.gst.gtypes import (
    GType,
    ParamFlags,
    ParamSpec,
    convert,
    gtype_of,
    nothing_of,
    param_spec,
    within,
)
from reelway.compat.gst.names import nearest_text
from reelway.compat.gst.signals import (
    Handlers,
    Signal,
    SignalFlags,
    SignalSpec,
    blocked,
    check_arguments,
    signal_spec,
    unknown_signal,
)

__all__ = ["Object", "ObjectMeta", "Property"]


class Property:
    """`GObject.Property`: typed, with a default, or as a decorator of a getter."""

    def __init__(
        self,
        getter: Any = None,
        setter: Any = None,
        type: Any = None,
        default: Any = None,
        nick: str = "",
        blurb: str = "",
        flags: Any = ParamFlags.READWRITE,
        minimum: Any = None,
        maximum: Any = None,
    ) -> None:
        self.name = ""
        self.fget, self.fset = getter, setter
        self.type = _type_of(getter, default) if type is None else type
        self.nick, self.blurb = nick, blurb or (getter.__doc__ or "" if getter else "")
        self.minimum, self.maximum = minimum, maximum
        self.default = default
        if default is None:
            self.default = "" if self.type is str else nothing_of(self.type, minimum)
        self.flags = flags
        if getter is not None and setter is None:
            self.flags = ParamFlags(int(flags) & ~int(ParamFlags.WRITABLE))
        self._said = {
            "type": type,
            "default": default,
            "nick": nick,
            "blurb": blurb,
            "flags": flags,
            "minimum": minimum,
            "maximum": maximum,
        }

    def __call__(self, getter: Callable[..., Any]) -> Property:
        """Used as `@GObject.Property(type=int)`."""
        return Property(getter, self.fset, **self._said)

    def getter(self, getter: Callable[..., Any]) -> Property:
        """Adds the getter; for a decorator."""
        return Property(getter, self.fset, **self._said)

    def setter(self, setter: Callable[..., Any]) -> Property:
        """Adds the setter; for a decorator."""
        return Property(self.fget, setter, **self._said)

    def spec(self) -> ParamSpec:
        """As the class has it."""
        low, high = self.minimum, self.maximum
        return ParamSpec(self.name, self.type, self.nick, self.blurb, self.default, low, high, self.flags)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name.replace("_", "-")

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        if self.fget is not None:
            return self.fget(instance)
        return instance.__dict__.get(f"_property_{self.name}", self.default)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.set_property(self.name, value)

    def store(self, instance: Any, value: Any) -> None:
        """Sets it: through the setter, or beside the object's attributes."""
        if self.fset is not None:
            self.fset(instance, value)
        elif self.fget is not None:
            raise TypeError(f"property '{self.name}' is not writable")
        else:
            instance.__dict__[f"_property_{self.name}"] = value


def _type_of(getter: Any, default: Any) -> Any:
    noted = getattr(getter, "__annotations__", {}).get("return") if getter else None
    if isinstance(noted, type):
        return noted
    return type(default) if isinstance(default, (bool, int, float, str)) else object


class ObjectMeta(type):
    """Collects what a class declares: `__gproperties__`, Property, `__gsignals__`, Signal."""

    __gtype__: GType
    _gtype_name: str
    _specs: dict[str, ParamSpec]
    _signals: dict[str, SignalSpec]

    def __init__(cls, name: str, bases: tuple[type, ...], space: dict[str, Any], **named: Any) -> None:
        super().__init__(name, bases, space, **named)
        cls._specs, cls._signals = {}, {}
        for base in reversed(bases):
            cls._specs |= getattr(base, "_specs", {})
            cls._signals |= getattr(base, "_signals", {})
        for each, described in (space.get("__gproperties__") or {}).items():
            spec = param_spec(each, described)
            cls._specs[spec.name] = spec
        for found in space.values():
            if isinstance(found, Property):
                cls._specs[found.name] = found.spec()
            elif isinstance(found, Signal):
                cls._signals[found.name.replace("_", "-")] = found.spec()
        for each, described in (space.get("__gsignals__") or {}).items():
            if described != "override":
                spec_of = signal_spec(each, described)
                cls._signals[spec_of.name] = spec_of
        cls._gtype_name = space.get("__gtype_name__", "")
        cls.named_anew()

    def named_anew(cls) -> None:
        """Gives the class its type, by what it is called and where it is now."""
        if "__gtype__" in vars(cls):
            del cls.__gtype__
        cls.__gtype__ = GType(cls._gtype_name, cls) if cls._gtype_name else gtype_of(cls)

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        made = super().__call__(*arguments, **named)
        made.__dict__.setdefault("_constructed", True)
        return made


class Object(metaclass=ObjectMeta):
    """An object with properties and signals; keyword arguments of the constructor are properties."""

    __gsignals__: ClassVar[dict[str, Any]] = {
        "notify": (SignalFlags.RUN_FIRST | SignalFlags.DETAILED, None, (object,))
    }

    def __new__(cls, *_arguments: Any, **_named: Any) -> Any:
        made = super().__new__(cls)
        made.__dict__["_handlers"] = Handlers()
        made.__dict__["_frozen"] = None
        return made

    def __init__(self, **properties: Any) -> None:
        for name, value in properties.items():
            if self.find_property(name) is None:
                kind = self._type_name()
                raise TypeError(f"gobject `{kind}' doesn't support property `{name}'")
            self.set_property(name, value)

    def __gobject_init__(self, **properties: Any) -> None:
        """As `__init__`, as older programs call it."""
        Object.__init__(self, **properties)

    # Properties

    def _spec_of(self, name: str) -> ParamSpec | None:
        """The description of a property; elements look further than their class."""
        return type(self)._specs.get(name)

    def _all_specs(self) -> list[ParamSpec]:
        return list(type(self)._specs.values())

    def _fetch(self, spec: ParamSpec) -> Any:
        """The value of a property; elements look further than their class."""
        declared = _declared(type(self), spec.name)
        if declared is not None:
            return declared.__get__(self)
        getter = getattr(self, "do_get_property", None)
        if getter is None:
            raise TypeError(f"property '{spec.name}' has no do_get_property()")
        return getter(spec)

    def _store(self, spec: ParamSpec, value: Any) -> None:
        declared = _declared(type(self), spec.name)
        if declared is not None:
            declared.store(self, value)
            return
        setter = getattr(self, "do_set_property", None)
        if setter is None:
            raise TypeError(f"property '{spec.name}' has no do_set_property()")
        setter(spec, value)

    def _known(self, name: str) -> ParamSpec:
        spec = self._spec_of(name.replace("_", "-"))
        if spec is None:
            near = nearest_text(name, [each.name for each in self._all_specs()])
            raise TypeError(f"object of type `{self._type_name()}' does not have property `{name}'{near}")
        return spec

    def get_property(self, name: str) -> Any:
        """The value of a property. TypeError where there is none, with the nearest."""
        spec = self._known(name)
        if not spec.readable:
            raise TypeError(f"property {name} is not readable")
        return self._fetch(spec)

    def set_property(self, name: str, value: Any) -> None:
        """Sets a property, and tells who connected to notify::name.

        Raises TypeError where there is none, or the value does not fit; a number out of range is a Warning
        and changes nothing.
        """
        spec = self._known(name)
        if not spec.writable or (
            spec.flags & ParamFlags.CONSTRUCT_ONLY and self.__dict__.get("_constructed")
        ):
            raise TypeError(f"property '{spec.name}' is not writable")
        fitting = convert(spec, value, self._type_name())
        if not within(spec, fitting):
            kind = spec.value_type.name
            warnings.warn(
                f"value \"{fitting}\" of type '{kind}' is invalid or out of range for property"
                f" '{spec.name}' of type '{kind}'",
                Warning,
                stacklevel=2,
            )
            return
        self._store(spec, fitting)
        self.notify(spec.name)

    def get_properties(self, *names: str) -> tuple[Any, ...]:
        """The values of several properties."""
        return tuple(self.get_property(name) for name in names)

    def set_properties(self, **properties: Any) -> None:
        """Sets several properties."""
        for name, value in properties.items():
            self.set_property(name, value)

    def find_property(self, name: str) -> ParamSpec | None:
        """What is known of a property; None where there is none."""
        return self._spec_of(name.replace("_", "-"))

    def list_properties(self) -> list[ParamSpec]:
        """What is known of all its properties."""
        return self._all_specs()

    @property
    def props(self) -> Any:
        """Its properties as attributes: `obj.props.num_buffers`."""
        return _Props(self)

    def notify(self, name: str) -> None:
        """Tells who connected to notify::name."""
        frozen = self.__dict__["_frozen"]
        if frozen is not None:
            frozen[name] = None
            return
        spec = self._spec_of(name.replace("_", "-"))
        if spec is not None and self.__dict__["_handlers"].wanted("notify"):
            self.__dict__["_handlers"].run(type(self)._signals["notify"], spec.name, self, (spec,))

    @contextlib.contextmanager
    def _thawing(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.thaw_notify()

    def freeze_notify(self) -> Any:
        """Gathers notifications until `thaw_notify()`, or the end of a `with`."""
        if self.__dict__["_frozen"] is None:
            self.__dict__["_frozen"] = {}
        return self._thawing()

    def thaw_notify(self) -> None:
        """Tells what was gathered, each property once."""
        frozen, self.__dict__["_frozen"] = self.__dict__["_frozen"], None
        for name in frozen or ():
            self.notify(name)

    def bind_property(
        self, source: str, target: Any, target_property: str, flags: int = 0, *transform: Any
    ) -> Any:
        """Keeps a property of `target` as the one here is; flags 1: both ways, 2: at once, 4: inverted."""
        forth = (transform[0] if transform else None) or _copied(flags)
        back = (transform[1] if len(transform) > 1 else None) or _copied(flags)

        def follow(giver: Any, given: str, taker: Any, taken: str, change: Any) -> None:
            value = (
                change(None, giver.get_property(given)) if transform else change(giver.get_property(given))
            )
            if taker.get_property(taken) != value:
                taker.set_property(taken, value)

        def to_target(*_: Any) -> None:
            follow(self, source, target, target_property, forth)

        def to_source(*_: Any) -> None:
            follow(target, target_property, self, source, back)

        ids = [(self, self.connect(f"notify::{source}", to_target))]
        if flags & 1:
            ids.append((target, target.connect(f"notify::{target_property}", to_source)))
        if flags & 2:
            to_target()
        return _Binding(ids)

    # Signals

    def _signal(self, detailed: str) -> tuple[SignalSpec, str]:
        name, _, detail = detailed.partition("::")
        spec = self._signal_spec(name.replace("_", "-"))
        if spec is None:
            raise unknown_signal(self, detailed, self._signal_names())
        return spec, detail.replace("_", "-") if spec.name == "notify" else detail

    def _signal_spec(self, name: str) -> SignalSpec | None:
        """A signal of this object; elements look further than their class."""
        return type(self)._signals.get(name)

    def _signal_names(self) -> list[str]:
        return list(type(self)._signals)

    def _listen(self, spec: SignalSpec) -> None:
        """Somebody connects to that signal, perhaps the first; for who has to ask for it."""

    def _connected(
        self,
        detailed: str,
        callback: Callable[..., Any],
        data: tuple[Any, ...],
        after: bool,
        swapped: Any = None,
    ) -> int:
        if not callable(callback):
            raise TypeError("second argument must be callable")
        spec, detail = self._signal(detailed)
        found: int = self.__dict__["_handlers"].add(spec.name, detail, callback, data, after, swapped)
        self._listen(spec)
        return found

    def connect(self, detailed_signal: str, handler: Callable[..., Any], *args: Any) -> int:
        """Calls `handler(obj, ..., *args)` at each emission; returns an id for `disconnect()`."""
        return self._connected(detailed_signal, handler, args, False)

    def connect_after(self, detailed_signal: str, handler: Callable[..., Any], *args: Any) -> int:
        """`connect()` behind the class's own handler."""
        return self._connected(detailed_signal, handler, args, True)

    def connect_object(self, detailed_signal: str, handler: Any, instance: Any, *args: Any) -> int:
        """`connect()` with `instance` in the place of this object."""
        return self._connected(detailed_signal, handler, args, False, instance)

    def connect_data(self, detailed_signal: str, handler: Any, *data: Any, connect_flags: int = 0) -> int:
        """`connect()` with flags 1: after."""
        return self._connected(detailed_signal, handler, data, bool(connect_flags & 1))

    def disconnect(self, handler_id: int) -> None:
        """Forgets a handler."""
        self.__dict__["_handlers"].remove(handler_id)

    handler_disconnect = disconnect

    def disconnect_by_func(self, func: Callable[..., Any]) -> int:
        """Forgets the handlers with this function; TypeError where there is none."""
        count: int = self.__dict__["_handlers"].remove_callback(func)
        if not count:
            raise TypeError(f"nothing connected to {func!r}")
        return count

    def handler_is_connected(self, handler_id: int) -> bool:
        """True for the id of a handler."""
        return bool(self.__dict__["_handlers"].has(handler_id))

    def handler_block(self, handler_id: int) -> Any:
        """Calls it no more until `handler_unblock()`, or the end of a `with`."""
        handlers = self.__dict__["_handlers"]
        handlers.block(handler_id, 1)
        return blocked(handlers, handler_id)

    def handler_unblock(self, handler_id: int) -> None:
        """Ends one `handler_block()`."""
        self.__dict__["_handlers"].block(handler_id, -1)

    def emit(self, signal_name: str, *args: Any) -> Any:
        """Calls the handlers; returns what the last of them says."""
        spec, detail = self._signal(signal_name)
        check_arguments(spec, args)
        return self.__dict__["_handlers"].run(spec, detail, self, args)

    def stop_emission_by_name(self, detailed_signal: str) -> None:
        """Called from a handler: no further one is."""
        self.__dict__["_handlers"].stop(self._signal(detailed_signal)[0].name)

    stop_emission = emit_stop_by_name = stop_emission_by_name

    # What is left

    def _type_name(self) -> str:
        """What C calls its type."""
        return type(self).__gtype__.name

    def set_data(self, key: str, value: Any) -> None:
        """Keeps something with the object, by name."""
        self.__dict__.setdefault("_data", {})[key] = value

    def get_data(self, key: str) -> Any:
        """What `set_data()` kept."""
        return self.__dict__.get("_data", {}).get(key)

    def ref(self) -> Object:
        """The object: Python counts its references."""
        return self

    def unref(self) -> None:
        """Nothing: Python counts its references."""

    def run_dispose(self) -> None:
        """Nothing: Python counts its references."""

    def __repr__(self) -> str:
        kind = type(self)
        module = kind.__module__.removeprefix("gi.repository.")
        return f"<{module}.{kind.__name__} object at 0x{id(self):x} ({kind.__gtype__.name})>"


class _Props:
    """Properties as attributes."""

    def __init__(self, instance: Object) -> None:
        object.__setattr__(self, "_instance", instance)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._instance.get_property(name)
        except TypeError as error:
            raise AttributeError(str(error)) from None

    def __setattr__(self, name: str, value: Any) -> None:
        instance = self._instance
        if instance.find_property(name) is None:
            raise AttributeError(f"{instance!r} has no property {name!r}")
        instance.set_property(name, value)

    def __dir__(self) -> list[str]:
        return [spec.name.replace("-", "_") for spec in self._instance.list_properties()]

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self._instance.list_properties())


class _Binding:
    """What `bind_property()` returns."""

    def __init__(self, ids: list[tuple[Any, int]]) -> None:
        self._ids = ids

    def unbind(self) -> None:
        """Ends it."""
        for instance, handler in self._ids:
            instance.disconnect(handler)


def _copied(flags: int) -> Callable[[Any], Any]:
    return (lambda value: not value) if flags & 4 else (lambda value: value)


def _declared(kind: type, name: str) -> Property | None:
    """The Property that declares `name` in a class."""
    for each in kind.__mro__:
        for found in vars(each).values():
            if isinstance(found, Property) and found.name == name:
                return found
    return None
