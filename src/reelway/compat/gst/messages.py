"""Messages of the bus, and Reelway's messages as GStreamer's."""

from __future__ import annotations

import itertools
import time
from typing import Any

import reelway as rw
from reelway.compat.gst import glib
from reelway.compat.gst.caps import Structure
from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.tags import TagList
from reelway.compat.gst.values import result

__all__ = ["Message", "gerror_of", "message_of"]

NONE: int = CONSTANTS["CLOCK_TIME_NONE"]
MessageType: Any = ENUMERATIONS["MessageType"]
State: Any = ENUMERATIONS["State"]
_numbers = itertools.count(1)


class Message:
    """What an element has to say: `type`, `src`, and what the parse methods give."""

    def __init__(self, kind: Any, src: Any, structure: Structure | None = None, **fields: Any) -> None:
        self.type = kind
        self.src = src
        self.seqnum = next(_numbers)
        self.timestamp = NONE
        self._structure = structure
        self._fields = fields
        self.time_s = time.monotonic()

    # Making one

    @classmethod
    def new_custom(cls, type: Any, src: Any, structure: Structure | None = None) -> Message:
        """Of any type."""
        return cls(type, src, structure)

    @classmethod
    def new_application(cls, src: Any, structure: Structure) -> Message:
        """What the application says."""
        return cls(MessageType.APPLICATION, src, structure)

    @classmethod
    def new_element(cls, src: Any, structure: Structure) -> Message:
        """What an element says of itself."""
        return cls(MessageType.ELEMENT, src, structure)

    @classmethod
    def new_eos(cls, src: Any) -> Message:
        """The end of the stream."""
        return cls(MessageType.EOS, src)

    @classmethod
    def new_error(cls, src: Any, error: Any, debug: str = "") -> Message:
        """An error."""
        return cls(MessageType.ERROR, src, error=error, debug=debug)

    @classmethod
    def new_warning(cls, src: Any, error: Any, debug: str = "") -> Message:
        """A warning."""
        return cls(MessageType.WARNING, src, error=error, debug=debug)

    @classmethod
    def new_info(cls, src: Any, error: Any, debug: str = "") -> Message:
        """For information."""
        return cls(MessageType.INFO, src, error=error, debug=debug)

    @classmethod
    def new_tag(cls, src: Any, tag_list: TagList) -> Message:
        """Tags."""
        return cls(MessageType.TAG, src, tags=tag_list)

    @classmethod
    def new_buffering(cls, src: Any, percent: int) -> Message:
        """How full the buffers are."""
        return cls(MessageType.BUFFERING, src, percent=percent)

    @classmethod
    def new_state_changed(cls, src: Any, oldstate: Any, newstate: Any, pending: Any) -> Message:
        """A new state."""
        return cls(MessageType.STATE_CHANGED, src, old=oldstate, new=newstate, pending=pending)

    @classmethod
    def new_duration_changed(cls, src: Any) -> Message:
        """The duration should be asked for again."""
        return cls(MessageType.DURATION_CHANGED, src)

    @classmethod
    def new_latency(cls, src: Any) -> Message:
        """The latency should be asked for again."""
        return cls(MessageType.LATENCY, src)

    # Reading one

    def get_structure(self) -> Structure | None:
        """What it says, where it says it in a structure."""
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

    def _field(self, name: str, nothing: Any = None) -> Any:
        return self._fields.get(name, nothing)

    def parse_error(self) -> Any:
        """(GLib.Error, debug text)."""
        return result("gerror debug", self._field("error"), self._field("debug", ""))

    parse_warning = parse_info = parse_error

    def parse_state_changed(self) -> Any:
        """(old, new, pending state)."""
        values = (self._field(name, State.VOID_PENDING) for name in ("old", "new", "pending"))
        return result("oldstate newstate pending", *values)

    def parse_tag(self) -> TagList:
        """The tags."""
        tags: TagList = self._field("tags") or TagList()
        return tags

    def parse_buffering(self) -> int:
        """How full the buffers are [%]."""
        return int(self._field("percent", 0))

    def parse_async_done(self) -> int:
        """The running time; unknown."""
        return NONE

    def parse_stream_status(self) -> Any:
        """(what happens, the element)."""
        return result("type owner", ENUMERATIONS["StreamStatusType"].ENTER, self.src)

    def parse_property_notify(self) -> Any:
        """(object, property name, value)."""
        values = self.src, self._field("name"), self._field("value")
        return result("object property_name property_value", *values)

    def parse_request_state(self) -> Any:
        """The state that is asked for."""
        return self._field("state", State.VOID_PENDING)

    def __repr__(self) -> str:
        return f"<Gst.Message {MessageType.get_name(self.type)} from {getattr(self.src, 'name', self.src)}>"


_DOMAINS: tuple[tuple[type[BaseException], str, str], ...] = (
    (FileNotFoundError, "ResourceError", "NOT_FOUND"),
    (rw.OpenError, "ResourceError", "NOT_FOUND"),
    (rw.LinkError, "StreamError", "FORMAT"),
    (rw.FormatError, "StreamError", "DEMUX"),
    (rw.UnsupportedError, "CoreError", "MISSING_PLUGIN"),
    (rw.OptionError, "LibraryError", "SETTINGS"),
    (rw.DeadlineError, "ResourceError", "READ"),
    (rw.StateError, "CoreError", "STATE_CHANGE"),
)


def gerror_of(error: BaseException, writes: bool = False) -> glib.Error:
    """The error as GLib's, with the domain and code that GStreamer would give it; `writes`: of a sink."""
    if isinstance(error, glib.Error):
        return error
    inner = getattr(error, "cause", None) or error
    kind, name = "StreamError", "FAILED"
    for known, domain, code in _DOMAINS:
        if isinstance(inner, known):
            kind, name = domain, code
            break
    if writes and name == "NOT_FOUND":
        name = "OPEN_WRITE"
    found = ENUMERATIONS[kind]
    hint = getattr(error, "hint", "") or ""
    made = glib.Error(str(error), found.quark(), int(getattr(found, name)), hint=hint)
    made.__cause__ = error
    return made


def message_of(message: Any, src: Any) -> Message | None:
    """GStreamer's message for one of Reelway's bus; None for what GStreamer has no message of."""
    fields = dict(message.fields)
    match message.kind:
        case "error":
            debug = fields.get("debug") or ""
            return Message(
                MessageType.ERROR, src, error=gerror_of(fields["error"], _writes(src)), debug=debug
            )
        case "warning" | "info":
            kind = MessageType.WARNING if message.kind == "warning" else MessageType.INFO
            text = str(fields.get("text", ""))
            return Message(kind, src, error=glib.Error(text, "gst-stream-error-quark", 1), debug="")
        case "state-changed":
            old, new, target = (State(int(fields[name])) for name in ("old", "new", "pending"))
            pending = State.VOID_PENDING if target == new else target
            return Message(
                MessageType.STATE_CHANGED, src, _states(old, new, pending), old=old, new=new, pending=pending
            )
        case "tag":
            return Message(MessageType.TAG, src, tags=TagList(fields["tags"]))
        case "buffering":
            return Message(MessageType.BUFFERING, src, percent=fields["percent"])
        case "element" | "application":
            kind = MessageType.ELEMENT if message.kind == "element" else MessageType.APPLICATION
            structure = fields.pop("structure", None)
            return Message(kind, src, structure or _structure(str(fields.pop("name", "")), fields))
    kind = getattr(MessageType, message.kind.upper().replace("-", "_"), None)
    return None if kind is None else Message(kind, src)


def _writes(src: Any) -> bool:
    kind = getattr(getattr(src, "_core", None), "kind", None)
    return getattr(kind, "role", "") in ("destination", "closer")


def _states(old: Any, new: Any, pending: Any) -> Structure:
    return _structure(
        "GstMessageStateChanged", {"old-state": old, "new-state": new, "pending-state": pending}
    )


def _structure(name: str, fields: dict[str, Any]) -> Structure:
    made = Structure.new_empty(name)
    for key, value in fields.items():
        made.set_value(key, list(value) if isinstance(value, tuple) else value)
    return made
