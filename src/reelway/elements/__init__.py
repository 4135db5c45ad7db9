"""The names of pipeline texts: which filter each element is, what its properties mean. Data, no behaviour."""

from reelway.elements.kinds import Choice, ElementKind, PadTemplate, Property, Role
from reelway.elements.table import find, names, register

__all__ = ["Choice", "ElementKind", "PadTemplate", "Property", "Role", "find", "names", "register"]
