"""Frames shared between processes, without a copy on the reader's side. Never here: media work, sessions.

    with rw.share.open("cam1") as frames:          # in any process of the same user
        for frame in frames:                       # a read-only array, in the writer's memory
            ...

    with rw.share.Writer("cam1") as writer:        # or the filter `share:name=cam1` in a session
        writer.write(array)

place       the private folder, its sockets, and who may connect
memory      the sealed memory that both sides map
wire        the messages between them, and their parser
content     what lies in a slot: arrays, pictures, sound, packets
writer, ring            the writing side: its slots, and what is free
desk                    its other half: locks, and a thread that minds the readers
door, guests, guest     who may come in; what they say, are told, and hold
watch                   what that thread waits for
reader, line, array     the reading side: a connection that lasts as long as its arrays
sink, source            both as filters
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelway.share.array import SharedArray as SharedArray
    from reelway.share.place import Writing as Writing
    from reelway.share.place import names as names
    from reelway.share.reader import Reader as Reader
    from reelway.share.reader import open as open
    from reelway.share.writer import Writer as Writer

_WHERE = {
    "Reader": "reader",
    "SharedArray": "array",
    "Writer": "writer",
    "Writing": "place",
    "names": "place",
    "open": "reader",
}

__all__ = [*_WHERE]  # noqa: PLE0604 (what loads is what there is)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'reelway.share' has no attribute {name!r}")
    value = getattr(import_module(f"reelway.share.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
