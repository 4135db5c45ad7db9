"""Caps, structures and features: GStreamer's names on `reelway.graph.mediacaps`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from reelway.compat.gst.gtypes import gtype_of
from reelway.compat.gst.names import nearest_text
from reelway.compat.gst.values import Bitmask, DoubleRange, Fraction, IntRange, from_media, result, to_media
from reelway.graph import capstext, mediacaps

__all__ = ["Caps", "CapsFeatures", "Structure"]


class CapsFeatures:
    """Which memory caps are about: `memory:SystemMemory`."""

    def __init__(self, *features: str) -> None:
        self._features = list(features)

    @classmethod
    def from_string(cls, features: str) -> CapsFeatures:
        """Of a text with commas."""
        return cls(*(each.strip() for each in features.split(",") if each.strip()))

    new_single = from_string

    @classmethod
    def new_empty(cls) -> CapsFeatures:
        """None of them."""
        return cls()

    def contains(self, feature: str) -> bool:
        """True where `feature` is among them."""
        return feature in self._features

    def get_size(self) -> int:
        """How many."""
        return len(self._features)

    def get_nth(self, i: int) -> str:
        """One of them."""
        return self._features[i]

    def add(self, feature: str) -> None:
        """One more."""
        self._features.append(feature)

    def to_string(self) -> str:
        """With commas."""
        return ", ".join(self._features)

    __str__ = to_string


class Structure:
    """A name and fields: `Structure("video/x-raw,width=640")`, `Structure("name", width=640)`."""

    def __init__(self, *arguments: Any, **fields: Any) -> None:
        self._name = ""
        self._fields: dict[str, Any] = {}
        if len(arguments) > 1:
            raise TypeError("wrong arguments when creating GstStructure object")
        if arguments and isinstance(arguments[0], Structure):
            self._name, self._fields = arguments[0]._name, dict(arguments[0]._fields)
        elif arguments and fields:
            self._name, self._fields = arguments[0], dict(fields)
        elif arguments:
            read = self.from_string(arguments[0])[0]
            self._name, self._fields = read._name, read._fields

    @classmethod
    def new_empty(cls, name: str = "") -> Structure:
        """Without fields."""
        made = cls()
        made._name = name
        return made

    @classmethod
    def from_string(cls, string: str) -> Any:
        """(structure, None) of a text."""
        text = string.strip().rstrip(";")
        name = text.partition(",")[0].partition("(")[0].strip()
        plain = "/" not in name  # only a media type has one
        read = capstext.read(f"x/{text}" if plain else text)[0]
        return cls._of(read, name if plain else read.media), None

    @classmethod
    def new_from_string(cls, string: str) -> Structure:
        """Of a text."""
        found: Structure = cls.from_string(string)[0]
        return found

    @classmethod
    def _of(cls, read: mediacaps.Structure, name: str = "") -> Structure:
        made = cls.new_empty(name or read.media)
        made._fields = {each: from_media(value) for each, value in read.fields.items()}
        return made

    def _media(self, features: Iterable[str] = ()) -> mediacaps.Structure:
        fields = {name: to_media(value) for name, value in self._fields.items()}
        return mediacaps.Structure(self._name, fields, frozenset(features))

    # What it is called and holds

    def get_name(self) -> str:
        """Its name: the media type, in caps."""
        return self._name

    def set_name(self, name: str) -> None:
        """Another name."""
        self._name = name

    def has_name(self, name: str) -> bool:
        """True where that is its name."""
        return self._name == name

    def has_field(self, fieldname: str) -> bool:
        """True where it has that field."""
        return fieldname in self._fields

    def n_fields(self) -> int:
        """How many fields it has."""
        return len(self._fields)

    def nth_field_name(self, index: int) -> str:
        """The name of one of its fields."""
        return list(self._fields)[index]

    def get_value(self, fieldname: str) -> Any:
        """The value of a field; None where there is none."""
        return self._fields.get(fieldname)

    def set_value(self, fieldname: str, value: Any) -> None:
        """Sets a field."""
        held = value.get_value() if type(value).__name__ == "Value" else value
        self._fields[fieldname] = held

    def remove_field(self, fieldname: str) -> None:
        """Removes a field."""
        self._fields.pop(fieldname, None)

    def remove_all_fields(self) -> None:
        """Removes all of them."""
        self._fields.clear()

    def get_field_type(self, fieldname: str) -> Any:
        """The type of a field."""
        return gtype_of(type(self._fields[fieldname]) if fieldname in self._fields else None)

    def foreach(self, func: Callable[..., bool], *user_data: Any) -> bool:
        """Calls func(name, value, *user_data) for each field until it returns something false."""
        return all(func(name, value, *user_data) for name, value in list(self._fields.items()))

    def get_string(self, fieldname: str) -> str | None:
        """The text of a field; None where there is none."""
        value = self._fields.get(fieldname)
        return value if isinstance(value, str) else None

    def _whole(self, fieldname: str, low: int, high: int) -> Any:
        value = self._fields.get(fieldname)
        whole = isinstance(value, int) and not isinstance(value, (bool, Bitmask)) and low <= value <= high
        return result(". value", True, int(value)) if whole else result(". value", False, 0)  # type: ignore[arg-type]

    def get_int(self, fieldname: str) -> Any:
        """(True, value), or (False, 0)."""
        return self._whole(fieldname, -(2**31), 2**31 - 1)

    def get_uint(self, fieldname: str) -> Any:
        """(True, value), or (False, 0)."""
        return self._whole(fieldname, 0, 2**32 - 1)

    def get_int64(self, fieldname: str) -> Any:
        """(True, value), or (False, 0)."""
        return self._whole(fieldname, -(2**63), 2**63 - 1)

    def get_uint64(self, fieldname: str) -> Any:
        """(True, value), or (False, 0)."""
        return self._whole(fieldname, 0, 2**64 - 1)

    get_clock_time = get_uint64

    def get_double(self, fieldname: str) -> Any:
        """(True, value), or (False, 0.0)."""
        value = self._fields.get(fieldname)
        return result(". value", isinstance(value, float), value if isinstance(value, float) else 0.0)

    def get_boolean(self, fieldname: str) -> Any:
        """(True, value), or (False, False)."""
        value = self._fields.get(fieldname)
        return result(". value", isinstance(value, bool), value is True)

    def get_fraction(self, fieldname: str) -> Any:
        """(True, numerator, denominator), or (False, 0, 0)."""
        value = self._fields.get(fieldname)
        there = isinstance(value, Fraction)
        pair = (value.num, value.denom) if isinstance(value, Fraction) else (0, 0)
        return result(". value_numerator value_denominator", there, *pair)

    def get_enum(self, fieldname: str, _enumtype: Any) -> Any:
        """(True, value), or (False, 0)."""
        return self._whole(fieldname, -(2**31), 2**31 - 1)

    def get_list(self, fieldname: str) -> Any:
        """(True, values), or (False, None)."""
        value = self._fields.get(fieldname)
        return result(". array", isinstance(value, list), value if isinstance(value, list) else None)

    get_array = get_list

    # As a whole

    def copy(self) -> Structure:
        """Another like it."""
        return Structure(self)

    def is_equal(self, structure2: Structure) -> bool:
        """True where they say the same."""
        return self._media() == structure2._media()

    def is_subset(self, superset: Structure) -> bool:
        """True where `superset` allows whatever it allows."""
        return self._media().is_subset(superset._media())

    def can_intersect(self, struct2: Structure) -> bool:
        """True where both allow something."""
        return self._media().intersect(struct2._media()) is not None

    def intersect(self, struct2: Structure) -> Structure | None:
        """What both allow."""
        common = self._media().intersect(struct2._media())
        return None if common is None else Structure._of(common)

    def fixate(self) -> None:
        """Leaves nothing open."""
        self._fields = Structure._of(self._media().fixate(), self._name)._fields

    def fixate_field_nearest_int(self, field_name: str, target: int) -> bool:
        """Chooses the number nearest to `target`; False where there is nothing to choose."""
        return self._fixate_field(field_name, target)

    def fixate_field_nearest_fraction(self, field_name: str, numerator: int, denominator: int) -> bool:
        """Chooses the fraction nearest to this one; False where there is nothing to choose."""
        return self._fixate_field(field_name, Fraction(numerator, denominator))

    def fixate_field_string(self, field_name: str, target: str) -> bool:
        """Chooses `target`, where it is among the choices; False where there is nothing to choose."""
        value = self._fields.get(field_name)
        if not isinstance(value, list) or target not in value:
            return False
        self._fields[field_name] = target
        return True

    def _fixate_field(self, name: str, target: Any) -> bool:
        value = self._fields.get(name)
        if isinstance(value, list) and value:
            self._fields[name] = min(value, key=lambda each: abs(float(each) - float(target)))
        elif isinstance(value, IntRange):
            self._fields[name] = min(max(target, value.range.start), value.range.stop)
        elif isinstance(value, DoubleRange):
            self._fields[name] = sorted((value.start, target, value.stop), key=float)[1]
        else:
            return False
        return True

    def to_string(self) -> str:
        """As text, with the types of its fields."""
        return self._media().typed() + ";"

    serialize = to_string

    def keys(self) -> set[str]:
        """The names of its fields."""
        return set(self._fields)

    def __getitem__(self, key: str) -> Any:
        if key not in self._fields:
            raise KeyError(f"{key}{nearest_text(key, self._fields)}")
        return self._fields[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.set_value(key, value)

    def __contains__(self, key: str) -> bool:
        return key in self._fields

    def __str__(self) -> str:
        return self.to_string()

    def __repr__(self) -> str:
        return f"<Gst.Structure {self.to_string()}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self.is_equal(other)

    __hash__ = None  # type: ignore[assignment]


class Caps:
    """What may flow: structures, the best first. `Caps("video/x-raw,width=640")`."""

    def __init__(self, given: Any = None) -> None:
        self._structures: list[Structure] = []
        self._features: list[tuple[str, ...]] = []
        self._any = False
        if isinstance(given, str):
            given = mediacaps.MediaCaps.parse(given)
        if isinstance(given, mediacaps.MediaCaps):
            self._set(given)
        elif isinstance(given, Caps):
            self._set(given.media())
        elif isinstance(given, Structure):
            self.append_structure(given.copy())
        elif given is not None:
            for each in given:
                self.append_structure(each.copy())

    def _set(self, media: mediacaps.MediaCaps) -> None:
        self._any = media.is_any
        self._structures = [Structure._of(each) for each in media.structures]
        self._features = [tuple(sorted(each.features)) for each in media.structures]

    def media(self) -> mediacaps.MediaCaps:
        """The same for Reelway; for who builds on this face."""
        pairs = zip(self._structures, self._features, strict=True)
        return mediacaps.MediaCaps(tuple(each._media(features) for each, features in pairs), self._any)

    @classmethod
    def from_string(cls, string: str) -> Caps:
        """Of a text. Raises PipelineError, with the place, where it is none."""
        return cls(string)

    @classmethod
    def new_empty(cls) -> Caps:
        """Nothing may flow."""
        return cls()

    @classmethod
    def new_any(cls) -> Caps:
        """Anything may."""
        return cls("ANY")

    @classmethod
    def new_empty_simple(cls, media_type: str) -> Caps:
        """That media type, whatever its fields."""
        return cls(Structure.new_empty(media_type))

    # Its structures

    def get_size(self) -> int:
        """How many structures."""
        return len(self._structures)

    def get_structure(self, index: int) -> Structure:
        """One of them; what is changed in it is changed here."""
        return self._structures[index]

    def get_features(self, index: int) -> CapsFeatures:
        """The features of one of them."""
        return CapsFeatures(*(self._features[index] or ("memory:SystemMemory",)))

    def set_features(self, index: int, features: CapsFeatures | None) -> None:
        """Other features for one of them."""
        names = tuple(features._features) if features else ()
        self._features[index] = () if names == ("memory:SystemMemory",) else names

    def append_structure(self, structure: Structure) -> None:
        """One more."""
        self._structures.append(structure)
        self._features.append(())

    merge_structure = append_structure

    def append(self, caps2: Caps) -> None:
        """More of them."""
        for structure, features in zip(caps2._structures, caps2._features, strict=True):
            self._structures.append(structure.copy())
            self._features.append(features)

    def merge(self, caps2: Caps) -> Caps:
        """Both together."""
        made = self.copy()
        made.append(caps2)
        return made

    def remove_structure(self, idx: int) -> None:
        """One less."""
        del self._structures[idx], self._features[idx]

    def set_value(self, field: str, value: Any) -> None:
        """Sets a field of all of them."""
        for structure in self._structures:
            structure.set_value(field, value)

    # As a whole

    def copy(self) -> Caps:
        """Another like it."""
        return Caps(self)

    make_writable = copy

    def is_any(self) -> bool:
        """Anything may flow."""
        return self._any

    def is_empty(self) -> bool:
        """Nothing may."""
        return not self._any and not self._structures

    def is_fixed(self) -> bool:
        """Exactly one stream is described."""
        return self.media().is_fixed

    def is_equal(self, caps2: Caps) -> bool:
        """Both allow the same."""
        mine, theirs = self.media(), caps2.media()
        return mine == theirs or (mine.is_subset(theirs) and theirs.is_subset(mine))

    is_strictly_equal = is_equal_fixed = is_equal

    def is_subset(self, superset: Caps) -> bool:
        """`superset` allows whatever it allows."""
        return self.media().is_subset(superset.media())

    is_always_compatible = is_subset

    def can_intersect(self, caps2: Caps) -> bool:
        """Both allow something."""
        return self.media().can_intersect(caps2.media())

    def intersect(self, caps2: Caps) -> Caps:
        """What both allow."""
        return Caps(self.media().intersect(caps2.media()))

    def intersect_full(self, caps2: Caps, _mode: int) -> Caps:
        """What both allow, in this one's order."""
        return self.intersect(caps2)

    def fixate(self) -> Caps:
        """With nothing left open."""
        return Caps(self.media().fixate())

    def truncate(self) -> Caps:
        """Only the first structure."""
        return Caps(mediacaps.MediaCaps(self.media().structures[:1]))

    def simplify(self) -> Caps:
        """The same, where no structure says what another has said."""
        return Caps(self.media().intersect(mediacaps.MediaCaps(is_any=True)))

    normalize = simplify

    def is_writable(self) -> bool:
        """It may be changed."""
        return True

    def ref(self) -> Caps:
        """Itself: Python counts its references."""
        return self

    def unref(self) -> None:
        """Nothing: Python counts its references."""

    def to_string(self) -> str:
        """As text, with the types of its fields."""
        return self.media().typed()

    serialize = to_string

    def __bool__(self) -> bool:
        return not self.is_empty()

    def __len__(self) -> int:
        return len(self._structures)

    def __getitem__(self, index: int) -> Structure:
        return self._structures[index]

    def __iter__(self) -> Iterator[Structure]:
        return iter(self._structures)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Caps) and self.is_equal(other)

    def __hash__(self) -> int:
        return hash(self.to_string())

    def __str__(self) -> str:
        return self.to_string()

    def __repr__(self) -> str:
        return f"<Gst.Caps {self.to_string()}>"
