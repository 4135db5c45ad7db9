"""Events and queries: what travels along a pipeline, and what it is asked."""

from __future__ import annotations

import itertools
from typing import Any

from reelway.compat.gst.caps import Caps, Structure
from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.segments import Segment
from reelway.compat.gst.tags import TagList
from reelway.compat.gst.values import result

__all__ = ["Event", "Query"]

NONE: int = CONSTANTS["CLOCK_TIME_NONE"]
EventType: Any = ENUMERATIONS["EventType"]
QueryType: Any = ENUMERATIONS["QueryType"]
Format: Any = ENUMERATIONS["Format"]
_numbers = itertools.count(1)


class Event:
    """An event: `type`, and what the parse methods give."""

    def __init__(self, type: Any, structure: Structure | None = None, **fields: Any) -> None:
        self.type = type
        self.timestamp = NONE
        self.seqnum = next(_numbers)
        self._structure = structure
        self._fields = fields

    @classmethod
    def new_custom(cls, type: Any, structure: Structure) -> Event:
        """Of any type."""
        return cls(type, structure)

    @classmethod
    def new_eos(cls) -> Event:
        """The end of the stream."""
        return cls(EventType.EOS)

    @classmethod
    def new_flush_start(cls) -> Event:
        """What is queued is thrown away from here on."""
        return cls(EventType.FLUSH_START)

    @classmethod
    def new_flush_stop(cls, reset_time: bool) -> Event:
        """Media flow again."""
        return cls(EventType.FLUSH_STOP, reset_time=reset_time)

    @classmethod
    def new_seek(
        cls, rate: float, format: Any, flags: Any, start_type: Any, start: int, stop_type: Any, stop: int
    ) -> Event:
        """From `start` to `stop`, at this rate."""
        values = rate, format, ENUMERATIONS["SeekFlags"](int(flags)), start_type, start, stop_type, stop
        return cls(EventType.SEEK, seek=values)

    @classmethod
    def new_caps(cls, caps: Caps) -> Event:
        """What comes is this from here on."""
        return cls(EventType.CAPS, caps=caps)

    @classmethod
    def new_segment(cls, segment: Segment) -> Event:
        """Where what comes lies in time."""
        return cls(EventType.SEGMENT, segment=segment)

    @classmethod
    def new_tag(cls, taglist: TagList) -> Event:
        """Tags."""
        return cls(EventType.TAG, tags=taglist)

    @classmethod
    def new_stream_start(cls, stream_id: str) -> Event:
        """A stream begins."""
        return cls(EventType.STREAM_START, stream_id=stream_id)

    @classmethod
    def new_gap(cls, timestamp: int, duration: int) -> Event:
        """Nothing comes for a while."""
        return cls(EventType.GAP, gap=(timestamp, duration))

    @classmethod
    def new_latency(cls, latency: int) -> Event:
        """How late sinks shall be."""
        return cls(EventType.LATENCY, latency=latency)

    @classmethod
    def new_step(cls, format: Any, amount: int, rate: float, flush: bool, intermediate: bool) -> Event:
        """So much further, and stand still."""
        return cls(EventType.STEP, step=(format, amount, rate, flush, intermediate))

    @classmethod
    def new_reconfigure(cls) -> Event:
        """Formats should be looked at again."""
        return cls(EventType.RECONFIGURE)

    @classmethod
    def new_navigation(cls, structure: Structure) -> Event:
        """A key, or the mouse."""
        return cls(EventType.NAVIGATION, structure)

    @classmethod
    def new_qos(cls, type: Any, proportion: float, diff: int, timestamp: int) -> Event:
        """How late a sink is."""
        return cls(EventType.QOS, qos=(type, proportion, diff, timestamp))

    def get_structure(self) -> Structure | None:
        """What it says, where it says it in a structure."""
        return self._structure

    def writable_structure(self) -> Structure:
        """The same, to be changed."""
        if self._structure is None:
            self._structure = Structure.new_empty(EventType.get_name(self.type))
        return self._structure

    def has_name(self, name: str) -> bool:
        """True where its structure is called so."""
        return self._structure is not None and self._structure.get_name() == name

    def get_seqnum(self) -> int:
        """Its number."""
        return self.seqnum

    def set_seqnum(self, seqnum: int) -> None:
        """Another number."""
        self.seqnum = seqnum

    def parse_seek(self) -> Any:
        """(rate, format, flags, start_type, start, stop_type, stop)."""
        return result("rate format flags start_type start stop_type stop", *self._fields["seek"])

    def parse_caps(self) -> Caps:
        """The caps."""
        caps: Caps = self._fields["caps"]
        return caps

    def parse_segment(self) -> Segment:
        """The segment."""
        segment: Segment = self._fields["segment"]
        return segment

    def parse_tag(self) -> TagList:
        """The tags."""
        tags: TagList = self._fields["tags"]
        return tags

    def parse_stream_start(self) -> str:
        """The stream's id."""
        return str(self._fields["stream_id"])

    def parse_gap(self) -> Any:
        """(timestamp, duration)."""
        return result("timestamp duration", *self._fields["gap"])

    def parse_latency(self) -> int:
        """The latency [ns]."""
        return int(self._fields["latency"])

    def parse_flush_stop(self) -> bool:
        """Whether the running time begins again."""
        return bool(self._fields["reset_time"])

    def parse_qos(self) -> Any:
        """(type, proportion, diff, timestamp)."""
        return result("type proportion diff timestamp", *self._fields["qos"])

    def parse_step(self) -> Any:
        """(format, amount, rate, flush, intermediate)."""
        return result("format amount rate flush intermediate", *self._fields["step"])

    def __repr__(self) -> str:
        return f"<Gst.Event {EventType.get_name(self.type)}>"


class Query:
    """A question: `type`, and, once it was answered, what the parse methods give."""

    def __init__(self, type: Any, structure: Structure | None = None, **fields: Any) -> None:
        self.type = type
        self._structure = structure
        self._fields: dict[str, Any] = fields

    @classmethod
    def new_position(cls, format: Any) -> Query:
        """Where playing is."""
        return cls(QueryType.POSITION, format=format, cur=-1)

    @classmethod
    def new_duration(cls, format: Any) -> Query:
        """How long it is."""
        return cls(QueryType.DURATION, format=format, duration=-1)

    @classmethod
    def new_latency(cls) -> Query:
        """How late sinks are."""
        return cls(QueryType.LATENCY, latency=(False, 0, NONE))

    @classmethod
    def new_seeking(cls, format: Any) -> Query:
        """Where one can go."""
        return cls(QueryType.SEEKING, format=format, seeking=(False, 0, -1))

    @classmethod
    def new_segment(cls, format: Any) -> Query:
        """What is played."""
        return cls(QueryType.SEGMENT, segment=(1.0, format, 0, -1))

    @classmethod
    def new_caps(cls, filter: Caps | None = None) -> Query:
        """What may flow."""
        return cls(QueryType.CAPS, filter=filter, caps=None)

    @classmethod
    def new_accept_caps(cls, caps: Caps) -> Query:
        """Whether that may flow."""
        return cls(QueryType.ACCEPT_CAPS, caps=caps, accepted=False)

    @classmethod
    def new_bitrate(cls) -> Query:
        """How many bits a second flow."""
        return cls(QueryType.BITRATE, bitrate=0)

    @classmethod
    def new_buffering(cls, format: Any) -> Query:
        """How full buffers are."""
        return cls(QueryType.BUFFERING, format=format, percent=(False, 100))

    @classmethod
    def new_uri(cls) -> Query:
        """What is read or written."""
        return cls(QueryType.URI, uri=None)

    @classmethod
    def new_custom(cls, type: Any, structure: Structure | None) -> Query:
        """Of any type."""
        return cls(type, structure)

    def get_structure(self) -> Structure | None:
        """What it says, where it says it in a structure."""
        return self._structure

    def parse_position(self) -> Any:
        """(format, position)."""
        return result("format cur", self._fields["format"], self._fields["cur"])

    def parse_duration(self) -> Any:
        """(format, duration)."""
        return result("format duration", self._fields["format"], self._fields["duration"])

    def parse_latency(self) -> Any:
        """(live, least, most)."""
        return result("live min_latency max_latency", *self._fields["latency"])

    def parse_seeking(self) -> Any:
        """(format, seekable, start, end)."""
        return result(
            "format seekable segment_start segment_end", self._fields["format"], *self._fields["seeking"]
        )

    def parse_segment(self) -> Any:
        """(rate, format, start, stop)."""
        return result("rate format start_value stop_value", *self._fields["segment"])

    def parse_caps(self) -> Caps | None:
        """What the question is restricted to."""
        caps: Caps | None = self._fields.get("filter")
        return caps

    def parse_caps_result(self) -> Caps | None:
        """What may flow."""
        caps: Caps | None = self._fields.get("caps")
        return caps

    def parse_accept_caps(self) -> Caps:
        """What the question is about."""
        caps: Caps = self._fields["caps"]
        return caps

    def parse_accept_caps_result(self) -> bool:
        """Whether it may flow."""
        return bool(self._fields["accepted"])

    def parse_bitrate(self) -> int:
        """Bits a second."""
        return int(self._fields["bitrate"])

    def parse_buffering_percent(self) -> Any:
        """(busy, percent)."""
        return result("busy percent", *self._fields["percent"])

    def parse_uri(self) -> str | None:
        """What is read or written."""
        uri: str | None = self._fields["uri"]
        return uri

    def set_position(self, format: Any, cur: int) -> None:
        """Answers."""
        self._fields |= {"format": format, "cur": cur}

    def set_duration(self, format: Any, duration: int) -> None:
        """Answers."""
        self._fields |= {"format": format, "duration": duration}

    def set_latency(self, live: bool, min_latency: int, max_latency: int) -> None:
        """Answers."""
        self._fields["latency"] = live, min_latency, max_latency

    def set_seeking(self, format: Any, seekable: bool, segment_start: int, segment_end: int) -> None:
        """Answers."""
        self._fields |= {"format": format, "seeking": (seekable, segment_start, segment_end)}

    def set_caps_result(self, caps: Caps) -> None:
        """Answers."""
        self._fields["caps"] = caps

    def set_bitrate(self, nominal_bitrate: int) -> None:
        """Answers."""
        self._fields["bitrate"] = nominal_bitrate

    def set_uri(self, uri: str) -> None:
        """Answers."""
        self._fields["uri"] = uri

    def __repr__(self) -> str:
        return f"<Gst.Query {QueryType.get_name(self.type)}>"
