"""`concat`: several inputs, one after the other."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from typing import Any

from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.pid import Pid
from reelway.media.packet import Packet
from reelway.media.timebase import rescale

__all__ = ["Concat"]

MOST_HELD = 16


class _Stream:
    """One input."""

    __slots__ = ("held", "key", "ready")

    def __init__(self, key: tuple[str, int]) -> None:
        self.key = key
        """Which output it goes to: its kind, and the how manieth it is of that."""
        self.held: list[Packet] = []
        """The packets of its beginning, up to the first with a decoding time."""
        self.ready = False

    def look(self, pid: Link) -> None:
        """Takes the beginning. Where containers leave decoding times out there, counts them back."""
        while not self.ready and (packet := pid.get()) is not None:
            self.held.append(packet)
            self.ready = packet.dts is not None or packet.cts is None or len(self.held) >= MOST_HELD
        if pid.ended or pid.removed:
            self.ready = True
        if self.ready and self.held and (dts := self.held[-1].dts) is not None:
            for packet in reversed(self.held[:-1]):
                dts -= packet.duration or 1
                packet.dts = dts


class _Piece:
    """The streams of one source, which play together."""

    def __init__(self, source: Filter) -> None:
        self.source = source
        self.links: list[Link] = []
        self.shift_s: Fraction | None = None
        """Its times are later by so much in the output; None until it begins."""


class Concat(Filter):
    """Plays its sources one after the other, in the order in which they were linked.

    The first stream of a kind follows the first one, the second the second. Times are shifted, by the same
    for all streams of a source: each source begins when everything of the one before is over. Properties
    that differ are news to the consumers; a source without a stream leaves a gap in it.
    """

    registry_name = "concat"
    inputs = (Caps(),)
    outputs = (Caps(),)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pieces: list[_Piece] = []
        self._outputs: dict[tuple[str, int], Pid] = {}
        self._end_s = Fraction(0)
        """Where everything ends that was sent."""
        self._at = 0
        self._ordered = False

    def configure(self, pid: Link) -> None:
        if pid.data is None:
            source = self._origin(pid)
            piece = next((each for each in self._pieces if each.source is source), None)
            if piece is None:
                piece = _Piece(source)
                self._pieces.append(piece)
            kind = str(pid.properties.get("StreamType"))
            number = sum(1 for link in piece.links if link.properties.get("StreamType") == kind)
            piece.links.append(pid)
            pid.data = _Stream((kind, number))
        elif pid.data.key in self._outputs and pid in self._pieces[self._at].links:
            self._announce(pid)

    def process(self) -> float | None:
        if not self._pieces or (not self._ordered and not self._order()):
            return None
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            if piece.shift_s is None and not self._begin(piece):
                return None
            for pid in piece.links:
                output, shift_s = self._outputs[pid.data.key], piece.shift_s
                assert shift_s is not None
                held, pid.data.held = pid.data.held, []
                for packet in chain(held, pid):
                    output.send(self._shifted(packet, pid, shift_s))
            if not all(pid.ended or pid.removed for pid in piece.links):
                return None
            self._at += 1
        for output in self._outputs.values():
            output.end()
        return None

    def ended(self, pid: Link) -> None:
        """The next source follows, in process()."""

    def restarted(self, pid: Link) -> None:
        if pid.data.key in self._outputs and pid in self._pieces[self._at].links:
            self._outputs[pid.data.key].restart()

    def _order(self) -> bool:
        """Puts the pieces in the order in which they were linked, once all are there."""
        if any(not pid.configured for pid in self.ipids) or self.context.expects_inputs(self):
            return False
        said = [declared.source for declared in self._wiring().sources_of(self)]
        self._pieces.sort(key=lambda piece: said.index(piece.source) if piece.source in said else len(said))
        self._ordered = True
        return True

    def _origin(self, pid: Link) -> Filter:
        """The filter that was linked to this one, or, where nothing was said, the source of it all."""
        said = [declared.source for declared in self._wiring().sources_of(self)]
        filter = pid.source
        while filter not in said and filter.ipids:
            filter = filter.ipids[0].source
        return filter

    def _begin(self, piece: _Piece) -> bool:
        """Finds by how much `piece` is shifted, once the first packets of all its streams are there."""
        for pid in piece.links:
            pid.data.look(pid)
        if not all(pid.data.ready for pid in piece.links):
            return False
        starts = [
            Fraction(min(times), _timescale(pid))
            for pid in piece.links
            for head in pid.data.held[:1]
            if (times := [time for time in (head.dts, head.cts) if time is not None])
        ]
        first = self._at == 0
        piece.shift_s = Fraction(0) if first or not starts else self._end_s - min(starts)
        for pid in piece.links:
            self._announce(pid)
        return True

    def _announce(self, pid: Link) -> None:
        """The output is there, and says what has changed; its timescale stays."""
        output = self._outputs.get(pid.data.key)
        if output is None:
            self._outputs[pid.data.key] = self.new_pid(pid.name, **_lasting(pid.properties))
            return
        wanted = {**_lasting(pid.properties), "Timescale": output.properties.get("Timescale")}
        if wanted != output.properties:
            output.set(**{name: None for name in output.properties if name not in wanted}, **wanted)

    def _shifted(self, packet: Packet, pid: Link, shift_s: Fraction) -> Packet:
        own, to = _timescale(pid), self._outputs[pid.data.key].properties.get("Timescale") or 1
        last = packet.cts if packet.cts is not None else packet.dts
        if last is not None:
            end_s = Fraction(last + (packet.duration or 0), own) + shift_s
            self._end_s = max(self._end_s, end_s)
        shift = round(shift_s * to)
        if packet.dts is not None:
            packet.dts = rescale(packet.dts, own, to) + shift
        if packet.cts is not None:
            packet.cts = rescale(packet.cts, own, to) + shift
        if packet.duration is not None:
            packet.duration = rescale(packet.duration, own, to)
        return packet


def _timescale(pid: Link) -> int:
    return pid.properties.get("Timescale") or 1


def _lasting(properties: dict[str, Any]) -> dict[str, Any]:
    """What holds for the whole output."""
    return {name: value for name, value in properties.items() if name not in ("Duration", "NumFrames")}
