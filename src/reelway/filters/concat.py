"""`concat`: several inputs, one after the other."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.pid import Pid
from reelway.media.packet import Packet
from reelway.media.timebase import rescale

__all__ = ["Concat"]


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
            pid.data = kind, number
        elif pid.data in self._outputs and pid in self._pieces[self._at].links:
            self._announce(pid)

    def process(self) -> float | None:
        if not self._pieces or (not self._ordered and not self._order()):
            return None
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            if piece.shift_s is None and not self._begin(piece):
                return None
            for pid in piece.links:
                output, shift_s = self._outputs[pid.data], piece.shift_s
                assert shift_s is not None
                for packet in pid:
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
        if pid.data in self._outputs and pid in self._pieces[self._at].links:
            self._outputs[pid.data].restart()

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
        heads = {pid: pid.peek() for pid in piece.links}
        if any(head is None and not (pid.ended or pid.removed) for pid, head in heads.items()):
            return False
        starts = [
            Fraction(min(times), _timescale(pid))
            for pid, head in heads.items()
            if head is not None and (times := [t for t in (head.dts, head.cts) if t is not None])
        ]
        first = self._at == 0
        piece.shift_s = Fraction(0) if first or not starts else self._end_s - min(starts)
        for pid in piece.links:
            self._announce(pid)
        return True

    def _announce(self, pid: Link) -> None:
        """The output is there, and says what has changed; its timescale stays."""
        output = self._outputs.get(pid.data)
        if output is None:
            self._outputs[pid.data] = self.new_pid(pid.name, **_lasting(pid.properties))
            return
        wanted = {**_lasting(pid.properties), "Timescale": output.properties.get("Timescale")}
        if wanted != output.properties:
            output.set(**{name: None for name in output.properties if name not in wanted}, **wanted)

    def _shifted(self, packet: Packet, pid: Link, shift_s: Fraction) -> Packet:
        own, to = _timescale(pid), self._outputs[pid.data].properties.get("Timescale") or 1
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
