"""GObject's types and descriptions of properties, and how Python's values fit them."""

from __future__ import annotations

from typing import Any

from reelway.compat.gst.enums import GEnum, GFlags, enumerations, of_nick

__all__ = ["GType", "ParamFlags", "ParamSpec", "convert", "gtype_of", "nothing_of", "param_spec", "within"]

ParamFlags: Any = enumerations(
    "GObject",
    "ParamFlags G_PARAM_ READABLE=1 WRITABLE=2 READWRITE=3 CONSTRUCT=4 CONSTRUCT_ONLY=8 LAX_VALIDATION=16"
    " PRIVATE=32 STATIC_NAME=32 STATIC_NICK=64 STATIC_BLURB=128 EXPLICIT_NOTIFY=1073741824"
    " DEPRECATED=2147483648",
    GFlags,
)["ParamFlags"]


class GType:
    """A type by GObject's name, with the Python type of its values (`pytype`)."""

    _known: dict[str, GType] = {}

    def __init__(self, name: str, pytype: Any = object, low: float | None = None, high: float | None = None):
        self.name = name
        self.pytype = pytype
        self.low, self.high = low, high
        self._known.setdefault(name, self)

    @classmethod
    def from_name(cls, name: str) -> GType:
        """The type that is called so; RuntimeError where there is none."""
        found = cls._known.get(name)
        if found is None:
            raise RuntimeError(f"unknown type name: {name}")
        return found

    def is_a(self, other: Any) -> bool:
        """True where it is `other` or derived from it."""
        base = gtype_of(other)
        if self is base:
            return True
        mine, theirs = self.pytype, base.pytype
        return isinstance(mine, type) and isinstance(theirs, type) and issubclass(mine, theirs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (GType, type)) and gtype_of(other).name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<GType {self.name}>"


TYPES = {
    "INVALID": GType("invalid", None),
    "NONE": GType("void", None),
    "BOOLEAN": GType("gboolean", bool),
    "CHAR": GType("gchar", int, -128, 127),
    "UCHAR": GType("guchar", int, 0, 255),
    "INT": GType("gint", int, -(2**31), 2**31 - 1),
    "UINT": GType("guint", int, 0, 2**32 - 1),
    "LONG": GType("glong", int, -(2**63), 2**63 - 1),
    "ULONG": GType("gulong", int, 0, 2**64 - 1),
    "INT64": GType("gint64", int, -(2**63), 2**63 - 1),
    "UINT64": GType("guint64", int, 0, 2**64 - 1),
    "FLOAT": GType("gfloat", float, -3.4028234663852886e38, 3.4028234663852886e38),
    "DOUBLE": GType("gdouble", float, -1.7976931348623157e308, 1.7976931348623157e308),
    "STRING": GType("gchararray", str),
    "STRV": GType("GStrv", list),
    "OBJECT": GType("GObject", object),
    "PYOBJECT": GType("PyObject", object),
    "BOXED": GType("GBoxed", object),
    "POINTER": GType("gpointer", object),
    "ENUM": GType("GEnum", GEnum),
    "FLAGS": GType("GFlags", GFlags),
    "PARAM": GType("GParam", object),
    "INTERFACE": GType("GInterface", object),
    "GTYPE": GType("GType", GType),
    "VALUE": GType("GValue", object),
    "VARIANT": GType("GVariant", object),
}
TYPES["UNICHAR"] = TYPES["UINT"]
"""TYPE_INT of GObject and so on, without TYPE_."""

_PLAIN = {
    None: "NONE",
    bool: "BOOLEAN",
    int: "INT",
    float: "DOUBLE",
    str: "STRING",
    object: "PYOBJECT",
    list: "PYOBJECT",
    dict: "PYOBJECT",
    tuple: "PYOBJECT",
    bytes: "PYOBJECT",
}
_SHORT = {
    "gboolean": "Boolean",
    "gchararray": "String",
    "PyObject": "Boxed",
    "GObject": "Object",
    "GStrv": "Boxed",
}


def gtype_of(kind: Any) -> GType:
    """GObject's type of a Python type, of a class with `__gtype__`, or of a GType itself."""
    if isinstance(kind, GType):
        return kind
    if isinstance(kind, str):
        return GType.from_name(kind)
    if kind is None or kind in _PLAIN:
        return TYPES[_PLAIN[kind]]
    made = vars(kind).get("__gtype__") if isinstance(kind, type) else None
    if isinstance(made, GType):
        return made
    if isinstance(kind, type):
        return GType(_c_name(kind), kind)
    raise TypeError(f"could not get typecode from object {kind!r}")


def _c_name(kind: type) -> str:
    """GstPipeline of gi.repository.Gst.Pipeline; __main__+Mine of a program's own."""
    module = kind.__module__
    if module.startswith("gi.repository."):
        space = {"GObject": "G", "GLib": "G"}.get(module.rpartition(".")[2], "Gst")
        return kind.__name__ if kind.__name__.startswith(space) else space + kind.__name__
    return f"{module.replace('.', '+')}+{kind.__name__}"


class ParamSpec:
    """What is known of a property: name, nick, blurb, value_type, default_value, minimum, maximum, flags."""

    def __init__(
        self,
        name: str,
        kind: Any,
        nick: str = "",
        blurb: str = "",
        default: Any = None,
        minimum: Any = None,
        maximum: Any = None,
        flags: Any = ParamFlags.READWRITE,
    ) -> None:
        self.name = name.replace("_", "-")
        self.nick, self.blurb = nick, blurb
        self.kind = kind
        self.value_type = gtype_of(kind)
        self.default_value = default
        self.minimum = self.value_type.low if minimum is None else minimum
        self.maximum = self.value_type.high if maximum is None else maximum
        self.flags = ParamFlags(int(flags))
        self.owner_type: GType | None = None

    @property
    def readable(self) -> bool:
        """It may be read."""
        return bool(self.flags & ParamFlags.READABLE)

    @property
    def writable(self) -> bool:
        """It may be set."""
        return bool(self.flags & ParamFlags.WRITABLE)

    def get_name(self) -> str:
        """Its name."""
        return self.name

    def get_nick(self) -> str:
        """Its name for people."""
        return self.nick or self.name

    def get_blurb(self) -> str:
        """What it is."""
        return self.blurb

    def get_default_value(self) -> Any:
        """What it is where nobody says otherwise."""
        return self.default_value

    def __repr__(self) -> str:
        name = self.value_type.name
        short = _SHORT.get(name) or (name[1:].capitalize() if name.startswith("g") else "Object")
        if isinstance(self.kind, type) and issubclass(self.kind, (GEnum, GFlags)):
            short = "Enum" if issubclass(self.kind, GEnum) else "Flags"
        return f"<GParam{short} {self.name!r}>"


_NOTHING = {"gboolean": False, "gfloat": 0.0, "gdouble": 0.0}


def param_spec(name: str, described: Any) -> ParamSpec:
    """The ParamSpec of an entry of `__gproperties__`: (type, nick, blurb, [min, max,] [default,] flags)."""
    kind, nick, blurb, *rest = described
    flags = rest.pop() if rest else ParamFlags.READWRITE
    low = high = None
    number = gtype_of(kind).low is not None
    if number and len(rest) >= 2:
        low, high, *rest = rest
    default = rest[0] if rest else nothing_of(kind, low)
    return ParamSpec(name, kind, nick or "", blurb or "", default, low, high, flags)


def nothing_of(kind: Any, low: Any = None) -> Any:
    """What a property of this type is where no default is said."""
    gtype = gtype_of(kind)
    if gtype.low is not None and gtype.pytype is int:
        return max(0, low) if low is not None else 0
    if isinstance(kind, type) and issubclass(kind, GEnum):
        return next(iter(kind.__enum_values__.values()), None)
    return _NOTHING.get(gtype.name)


def convert(spec: ParamSpec, value: Any, owner: str) -> Any:
    """`value` as the property's type has it. Raises TypeError where it cannot be."""
    kind, gtype = spec.kind, spec.value_type
    if isinstance(kind, type) and issubclass(kind, (GEnum, GFlags)):
        return _choice(kind, value, spec, owner)
    wanted = gtype.pytype
    if value is None:
        if wanted in (int, float, bool):
            raise _misfit(value, spec, owner)
        return None
    if wanted is bool:
        return bool(value)
    if wanted in (int, float):
        if isinstance(value, str) or (not hasattr(value, "__int__") and not hasattr(value, "__float__")):
            raise _misfit(value, spec, owner)
        return wanted(value)
    if wanted is str:
        if not isinstance(value, str):
            raise _misfit(value, spec, owner)
        return value
    strict = isinstance(wanted, type) and wanted is not object and gtype.name not in _LOOSE
    if strict and not isinstance(value, wanted):
        raise _misfit(value, spec, owner)
    return value


def within(spec: ParamSpec, value: Any) -> bool:
    """False for a number outside of the property's range."""
    if not isinstance(value, (int, float)) or isinstance(value, (bool, GEnum, GFlags)):
        return True
    low, high = spec.minimum, spec.maximum
    return (low is None or value >= low) and (high is None or value <= high)


_LOOSE = {"PyObject", "GBoxed", "gpointer", "GObject", "GValue", "GStrv"}


def _choice(kind: Any, value: Any, spec: ParamSpec, owner: str) -> Any:
    if isinstance(value, str):
        found = of_nick(kind, value) if issubclass(kind, GEnum) else None
        if found is None:
            raise _misfit(value, spec, owner)
        return found
    try:
        return kind(int(value))
    except (TypeError, ValueError):
        raise _misfit(value, spec, owner) from None


def _misfit(value: Any, spec: ParamSpec, owner: str) -> TypeError:
    shown = spec.value_type.name
    return TypeError(
        f"could not convert {value!r} to type '{shown}' when setting property '{owner}.{spec.name}'"
    )
