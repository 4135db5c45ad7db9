"""`share` and `shared`: frames between processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelway.cli.job import terminable
from reelway.cli.outcome import DONE, outcome_of
from reelway.cli.statistics import amount, columns
from reelway.errors import DeadlineError, OpenError, OptionError, UnsupportedError, redact
from reelway.filters.frames import drain
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.media.properties import format as format_property
from reelway.session.loading import load_word
from reelway.session.logs import set_logs
from reelway.session.session import Session
from reelway.session.words import stream_in_words
from reelway.share.content import properties_from
from reelway.share.place import check_name, names
from reelway.share.reader import look
from reelway.share.reader import open as open_shared
from reelway.share.sink import Share

__all__ = ["Sharing", "describe", "list_all", "save", "share"]

NOTHING = "nothing is shared"
HIDDEN = frozenset(("Container", "FileMetadata", "StreamInfo", "URL"))


@dataclass(frozen=True, slots=True)
class Sharing:
    """What to share, and how."""

    src: str
    name: str
    pixel_format: str = "rgb24"
    audio: bool = False
    """The sound, instead of the pictures."""
    packets: bool = False
    """As they come, not decoded."""
    real_time: bool = False
    slots: int = 10
    patience_s: float = 5.0
    wait_readers: int | None = None
    """None: one for a file, which would be over before anybody could look."""

    def session(self, **options: Any) -> Session:
        """A session that shares it."""
        waited = self.wait_readers
        if waited is None:
            waited = int(os.path.isfile(self.src) and not self.real_time)
        session = Session(unlinked="ignore", **options)
        try:
            source = load_word(session, self.src)
            raw = {"sample_format": "flt"} if self.audio else {"pixel_format": self.pixel_format}
            sink = Share(
                name=self.name,
                slots=self.slots,
                patience=self.patience_s,
                wait_readers=waited,
                **({} if self.packets else raw),
            )
            chain = [session.load("reframer:rt=on")] if self.real_time else []
            stream: Any = source.audio if self.audio else source.video
            for each in (*chain, session.add(sink)):
                stream = stream >> each
        except BaseException:
            session.close()
            raise
        return session


def share(sharing: Sharing, *, threads: int | None, log: str | None, quiet: bool) -> int:
    """Shares until the source ends, or Ctrl-C."""
    set_logs(f"all@{'quiet' if quiet else 'warning'}{':' + log if log else ''}")
    with sharing.session(threads=threads) as session, terminable(session) as received:
        session.run(progress=not quiet)
    return outcome_of(received)


def list_all() -> int:
    """Prints what is shared, a line each; says so where that is nothing."""
    rows = [["name", "format", "frames/s", "frames", "readers", "dropped", "memory"]]
    for writing in names():
        info = look(writing.name)
        if info is None:
            rows.append([writing.name, "does not answer", "", "", "", "", ""])
            continue
        rows.append(
            [
                writing.name,
                _words(info),
                f"{info['rate']:g}",
                str(info["frames"]),
                str(len(info["readers"])),
                str(info["dropped"]),
                amount(info["bytes"]),
            ]
        )
    print("\n".join(columns(rows)) if rows[1:] else NOTHING)
    return DONE


def describe(name: str) -> int:
    """Prints all that is known of a writer."""
    info = _info(name)
    lines = [
        f"{name}: {_words(info)}",
        f"  {info['frames']} frames, {info['rate']:g} a second; {info['dropped']} went to nobody",
        f"  {info['slots']} slots of {amount(info['slot_bytes'])}; {amount(info['bytes'])} of memory",
    ]
    readers = info["readers"]
    lines += [
        f"  process {told['pid']} of user {told['uid']} reads {told['policy']}: "
        f"{told['frames']} frames, {told['held']} of them held"
        for told in readers
    ] or ["  nobody reads"]
    format = info.get("format") or {}
    if format.get("kind") == "array":
        lines.append(f"    {format['dtype']} {tuple(format['shape'])}")
    properties = properties_from(format) if format else {}
    shown = sorted(key for key in properties if key not in HIDDEN)
    lines += [f"    {key} = {_text(key, properties[key])}" for key in shown]
    print("\n".join(lines))
    return DONE


def save(name: str, path: Path, *, timeout_s: float) -> int:
    """Writes the newest picture that is shared to `path`, in the format that its ending names."""
    from PIL import Image

    if path.suffix.lower() not in Image.registered_extensions():
        raise OptionError(f"{path}: no picture format ends so", hint="end it with .png or .jpg")
    info = _info(name)
    array = _picture(name, info, timeout_s)
    try:
        Image.fromarray(array).save(path)
    except (TypeError, ValueError) as error:
        raise UnsupportedError(f"{name} cannot be saved as {path.name}: {error}") from None
    print(f"{path}: {array.shape[1]}x{array.shape[0]}")
    return DONE


def _picture(name: str, info: Mapping[str, Any], timeout_s: float) -> Any:
    """(lines, columns, 3) RGB, or an array as it is where that may be a picture."""
    format = info.get("format") or {}
    properties = properties_from(format) if format else {}
    if properties.get("StreamType") == "Audio":
        raise UnsupportedError(f"{name} shares sound", hint="only pictures can be saved")
    if format.get("kind") == "array" and properties.get("CodecID") != "raw":
        return _array(name, timeout_s)
    taken: list[Any] = []
    with Session() as session:
        source = session.load("shared", name=name, policy="latest", timeout=timeout_s)
        session.chain(source, session.add(_Taking(taken)))
        late = session.post(session.stop, timeout_s)
        session.run_until(lambda: bool(taken))
        late()
    if not taken:
        raise DeadlineError(f"{name}: no picture came, after {timeout_s:g} s")
    return taken[0]


class _Taking(Filter):
    """Keeps the first picture."""

    inputs = (Caps(StreamType="Visual", CodecID="raw", PixelFormat="rgb24"),)

    def __init__(self, taken: list[Any]) -> None:
        super().__init__()
        self._taken = taken

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                if not packet.seek:
                    self._taken.append(packet.array().copy())
                    drain(self)
                    return


def _array(name: str, timeout_s: float) -> Any:
    with open_shared(name, policy="latest", timeout_s=timeout_s) as frames:
        frame = frames.pull(timeout_s)
        if frame is None:
            raise OpenError(f"{name} has ended")
        if frame.dtype != "uint8" or frame.ndim not in (2, 3):
            what = f"arrays {frame.shape} of {frame.dtype}"
            raise UnsupportedError(f"{name} shares {what}, which are no pictures")
        return frame.copy()


def _info(name: str) -> dict[str, Any]:
    """What the writer says. Raises OpenError where there is none."""
    info = look(check_name(name))
    if info is not None:
        return info
    known = [writing.name for writing in names()]
    if name in known:
        raise DeadlineError(f"{name} does not answer", hint="its process may be stopped, or very busy")
    raise OpenError(f"nobody shares {name}", hint=f"there is {', '.join(known)}" if known else NOTHING)


def _words(info: Mapping[str, Any]) -> str:
    format = info.get("format")
    if not format:
        return "nothing yet"
    properties = properties_from(format)
    if format["kind"] == "array" and "CodecID" not in properties:
        return f"array {'x'.join(map(str, format['shape']))} of {format['dtype']}"
    return stream_in_words(properties)


def _text(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return redact(", ".join(f"{name}: {each}" for name, each in value.items()))
    if isinstance(value, bytes) and len(value) > 64:
        return f"{len(value)} bytes"
    return redact(str(format_property(key, value)))
