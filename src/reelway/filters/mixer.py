"""`mixer`: a mix whose inputs each have a volume, as pads of pipelines have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.errors import OptionError
from reelway.filters.mix import Mix
from reelway.graph.link import Link
from reelway.graph.option import option

__all__ = ["Mixer", "checked_pads", "number_in", "pad_of"]


class Mixer(Mix):
    """`mix`, with settings for each input."""

    registry_name = "mixer"

    pads: Mapping[str, Mapping[str, Any]] = option(
        {},
        kind=object,
        live=True,
        help="of each input, by its number: {'sink_0': {'volume': 0.5, 'mute': ...}}",
    )

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        checked_pads("mixer", self.pads)

    def _gain(self, pid: Link) -> float:
        said = pad_of(self.pads, self.number_of(pid))
        gain = float(said.get("volume", 1.0))
        return 0.0 if said.get("mute") else gain * super()._gain(pid)


def pad_of(pads: Mapping[str, Mapping[str, Any]], number: int) -> Mapping[str, Any]:
    """What is said of input `number`: under the name that ends with it, `sink_1`."""
    return next((said for name, said in pads.items() if number_in(name) == number), {})


def number_in(name: str) -> int | None:
    """The number at the end of a pad's name; None where there is none."""
    digits = name.rpartition("_")[2]
    return int(digits) if digits.isdigit() else None


def checked_pads(filter: str, pads: Any) -> None:
    """Raises OptionError where `pads` is no mapping of mappings."""
    if (
        not isinstance(pads, Mapping)
        or not all(isinstance(each, Mapping) for each in pads.values())
        or not all(number_in(name) is not None for name in pads)
    ):
        raise OptionError(
            f"{filter}:pads is no mapping of mappings", hint="{'sink_0': {...}, 'sink_1': {...}}"
        )
