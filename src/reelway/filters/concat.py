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
from reelway.media.timeline import Timeline

__all__ = ["Concat"]

MOST_HELD = 16


class _Stream:
    """One input."""

    __slots__ = ("end", "held", "key", "ready", "shift", "timescale", "to")

    def __init__(self, key: tuple[str, int], timescale: int) -> None:
        self.key = key
        """Which output it goes to: its kind, and the how manieth it is of that."""
        self.timescale = timescale
        self.end: int | None = None
        """Where the last of what was sent ends [own ticks]."""
        self.to = 1
        """The timescale of the output."""
        self.shift = 0
        """Its times are later by so much in the output [ticks of that]."""
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
            pid.data = _Stream((kind, number), _timescale(pid))
            return
        if pid.data.timescale != _timescale(pid):
            self._note_end(self._piece_of(pid), pid.data)
            pid.data.timescale = _timescale(pid)
        if pid.data.key in self._outputs and pid in self._pieces[self._at].links:
            self._announce(pid)

    def process(self) -> float | None:
        if not self._pieces or (not self._ordered and not self._order()):
            return None
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            if piece.shift_s is None and not self._begin(piece):
                return None
            for pid in piece.links:
                stream: _Stream = pid.data
                output = self._outputs[stream.key]
                held, stream.held = stream.held, []
                for packet in chain(held, pid):
                    output.send(_shifted(packet, stream))
            if not all(pid.ended or pid.removed for pid in piece.links):
                return None
            for pid in piece.links:
                self._note_end(piece, pid.data)
            self._at += 1
        for output in self._outputs.values():
            output.end()
        return None

    def ended(self, pid: Link) -> None:
        """The next source follows, in process()."""

    def restarted(self, pid: Link) -> None:
        pid.data.held = []  # of a source that has not begun: it begins elsewhere
        if pid.data.key in self._outputs and pid in self._pieces[self._at].links:
            self._outputs[pid.data.key].restart()

    def _order(self) -> bool:
        """Puts the pieces in the order in which they were linked, once all are there."""
        if any(not pid.configured for pid in self.ipids) or self.context.expects_inputs(self):
            return False
        if self.input_number is not None:
            self._pieces.sort(key=lambda piece: min(self.number_of(link) for link in piece.links))
        else:
            said = [declared.source for declared in self._wiring().sources_of(self)]
            self._pieces.sort(key=lambda each: said.index(each.source) if each.source in said else len(said))
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
            stream: _Stream = pid.data
            stream.to = self._outputs[stream.key].properties.get("Timescale") or 1
            stream.shift = round(piece.shift_s * stream.to)
        return True

    def _announce(self, pid: Link) -> None:
        """The output is there, and says what has changed; its timescale stays."""
        output = self._outputs.get(pid.data.key)
        if output is None:
            output = self._outputs[pid.data.key] = self.new_pid(pid.name, **_lasting(pid.properties))
            output.timeline = self._timeline(pid)
            return
        wanted = {**_lasting(pid.properties), "Timescale": output.properties.get("Timescale")}
        if wanted != output.properties:
            output.set(**{name: None for name in output.properties if name not in wanted}, **wanted)

    def _timeline(self, pid: Link) -> Timeline:
        """That of the first source, whose ticks stay; also where only a later one has such a stream."""
        lead = pid if self._at == 0 else self._pieces[0].links[0]
        start, offset_s, rate = lead.pid.timeline
        return Timeline(rescale(start, _timescale(lead), _timescale(pid)), offset_s, rate)

    def _piece_of(self, pid: Link) -> _Piece:
        return next(piece for piece in self._pieces if pid in piece.links)

    def _note_end(self, piece: _Piece, stream: _Stream) -> None:
        """Where everything ends, with what `stream` has sent: once a source, not once a packet."""
        if stream.end is not None and piece.shift_s is not None:
            self._end_s = max(self._end_s, Fraction(stream.end, stream.timescale) + piece.shift_s)
        stream.end = None


def _shifted(packet: Packet, stream: _Stream) -> Packet:
    own, to, shift = stream.timescale, stream.to, stream.shift
    last = packet.cts if packet.cts is not None else packet.dts
    if last is not None:
        end = last + (packet.duration or 0)
        if stream.end is None or end > stream.end:
            stream.end = end
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
