"""Every live option of an application in one place, for any part of a program."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from reelway.errors import OptionError, UnknownOptionError

if TYPE_CHECKING:
    from reelway.session.application.pipeline import Pipeline

__all__ = ["Controls"]


class Controls(MutableMapping[str, Any]):
    """`options["src.pattern"] = "ball"`: reads and sets what can change while the pipeline plays.

    Names are `element.property`. From any thread; a change takes effect at the filter's next turn. Setting
    raises UnknownNameError, UnknownOptionError or OptionError, and changes nothing then.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def __getitem__(self, name: str) -> Any:
        element, property = self._find(name)
        return self._pipeline[element].get(property)

    def __setitem__(self, name: str, value: Any) -> None:
        element, property = self._find(name)
        target = self._pipeline[element]
        if not target.is_live(property):
            raise OptionError(
                f"{name} cannot change while the pipeline plays",
                hint="set it with pipeline[...].set(...) before that",
            )
        target.set(property, value)

    def __delitem__(self, name: str) -> None:
        """Back to the default."""
        element, property = self._find(name)
        self[name] = self._pipeline[element].kind.find(property).default

    def __iter__(self) -> Iterator[str]:
        for element in self._pipeline:
            for property in element.kind.properties:
                if element.is_live(property.name):
                    yield f"{element.name}.{property.name}"

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def describe(self, name: str) -> str:
        """What it is, in one line: its type, its choices or range, its unit."""
        element, property_name = self._find(name)
        property = self._pipeline[element].kind.find(property_name)
        return property.describe()

    def _find(self, name: str) -> tuple[str, str]:
        element, dot, property = name.rpartition(".")
        if not dot:
            raise UnknownOptionError.of("live option", name, list(self))
        return element, property
