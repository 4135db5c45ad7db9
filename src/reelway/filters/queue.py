"""`queue`: holds packets between two filters that work at different speeds."""

from __future__ import annotations

from typing import Any

from reelway.filters.simple import Forward
from reelway.graph.link import UNLIMITED, Limits
from reelway.graph.option import Seconds, option

__all__ = ["Queue"]

_POLICIES = {"no": "block", "upstream": "drop_newest", "downstream": "drop_oldest"}


class Queue(Forward):
    """A link with limits of its own: the first that is reached makes it full.

    Then its producer waits, or (`leaky`) packets are dropped and counted in the link's statistics: `upstream`
    drops what comes, `downstream` what waits longest. What waits is in `level_packets`, `level_bytes` and
    `level_ns`.
    """

    registry_name = "queue"

    max_packets: int = option(200, low=0, live=True, help="to hold; 0: any number")
    max_bytes: int = option(10 << 20, low=0, unit="bytes", live=True, help="to hold; 0: any number")
    max_s: Seconds = option(1.0, low=0.0, kind=Seconds, unit="s", live=True, help="to hold; 0: any length")
    leaky: str = option("no", choices=tuple(_POLICIES), help="what is dropped when it is full")

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        self.input_limits = self._limits()

    def updated(self, name: str) -> None:
        self.input_limits = self._limits()
        for pid in self.ipids:
            pid.set_limits(self.input_limits)

    @property
    def level_packets(self) -> int:
        """How many packets wait, of all inputs."""
        return sum(len(pid) for pid in self.ipids)

    @property
    def level_bytes(self) -> int:
        """How many bytes wait, of all inputs."""
        return sum(pid.bytes_in - pid.bytes_out - pid.bytes_dropped for pid in self.ipids)

    @property
    def level_ns(self) -> int:
        """How much media waits [ns], of the input that has most."""
        return max((pid.buffer_us * 1000 for pid in self.ipids), default=0)

    def _limits(self) -> Limits:
        return Limits(
            packets=self.max_packets or UNLIMITED,
            bytes=self.max_bytes or UNLIMITED,
            seconds=float(self.max_s) or float(1 << 30),
            policy=_POLICIES[self.leaky],  # type: ignore[arg-type]
        )
