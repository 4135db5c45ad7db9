"""`mixer`: a mix whose inputs each have a volume, as pads of pipelines have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.errors import OptionError
from reelway.filters.mix import Mix
from reelway.graph.link import Link
from reelway.graph.option import option

__all__ = ["Mixer", "checked_pads", "pad_of"]


class Mixer(Mix):
    """`mix`, with settings for each input."""

    registry_name = "mixer"

    pads: Mapping[str, Mapping[str, Any]] = option(
        {},
        kind=object,
        live=True,
        help="of each input, in their order: {'sink_0': {'volume': 0.5, 'mute': ...}}",
    )

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        checked_pads("mixer", self.pads)

    def _gain(self, pid: Link) -> float:
        said = pad_of(self.pads, self.ipids.index(pid))
        gain = float(said.get("volume", 1.0))
        return 0.0 if said.get("mute") else gain * super()._gain(pid)


def pad_of(pads: Mapping[str, Mapping[str, Any]], number: int) -> Mapping[str, Any]:
    """What is said of input `number`; names count as the order in which they were said."""
    said = list(pads.values())
    return said[number] if number < len(said) else {}


def checked_pads(filter: str, pads: Any) -> None:
    """Raises OptionError where `pads` is no mapping of mappings."""
    if not isinstance(pads, Mapping) or not all(isinstance(each, Mapping) for each in pads.values()):
        raise OptionError(
            f"{filter}:pads is no mapping of mappings", hint="{'sink_0': {...}, 'sink_1': {...}}"
        )
