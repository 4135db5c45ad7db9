"""`reelway inspect`: what is in a file or stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from reelway.cli.outcome import DONE
from reelway.errors import FilterError, redact
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.pid import Pid
from reelway.media.packet import Packet
from reelway.media.properties import format as format_property
from reelway.session.loading import load_word
from reelway.session.logs import set_logs
from reelway.session.progress import clock
from reelway.session.session import Session
from reelway.session.words import stream_in_words

__all__ = ["inspect"]

PATIENCE_S = 60.0
"""A live source gives up before that, by the deadline of its protocol."""
HIDDEN = frozenset(("Container", "FileMetadata", "StreamInfo", "URL"))


def inspect(url: str, *, packets: bool, as_json: bool, log: str | None) -> int:
    """Prints the streams of `url`, and its packets where they are asked for."""
    set_logs(f"all@warning{':' + log if log else ''}")
    with Session(unlinked="ignore", open_timeout_s=PATIENCE_S) as session:
        source = load_word(session, url)
        if packets:
            lister = session.load("call", function=_as_json if as_json else _as_line)
            session.chain(source, lister, session.load_dst("null"))
        session.link()
        if not (packets and as_json):
            print(_streams_json(url, source) if as_json else _streams(url, source))
        if packets:
            if not as_json:
                print("\npid  dts  cts  duration  sap  bytes")
            try:
                session.run()
            except FilterError as error:  # of the lister: its reader went away, or the disk is full
                raise (error.cause if isinstance(error.cause, OSError) else error) from None
    return DONE


def _streams(url: str, source: Filter) -> str:
    first = source.opids[0].properties if source.opids else {}
    durations = [pid.properties["Duration"] for pid in source.opids if pid.properties.get("Duration")]
    facts = [str(first.get("Container", "")), clock(float(max(durations))) if durations else ""]
    lines = [f"{redact(url)}: {', '.join(filter(None, facts))}".rstrip(": ")]
    for pid in source.opids:
        lines.append(f"  {pid.name}: {stream_in_words(pid.properties)}")
        shown = sorted(name for name in pid.properties if name not in HIDDEN)
        lines += [f"    {name} = {_text(name, pid.properties[name])}" for name in shown]
    if not source.opids:
        lines.append(f"  no streams{f' ({source.status})' if source.status else ''}")
    return "\n".join(lines)


def _streams_json(url: str, source: Filter) -> str:
    pids = [{"name": pid.name, "properties": _values(pid)} for pid in source.opids]
    return json.dumps({"url": redact(url), "pids": pids}, indent=2, ensure_ascii=False)


def _values(pid: Pid) -> dict[str, Any]:
    shown = {name: value for name, value in pid.properties.items() if name != "StreamInfo"}
    return {name: _json(name, value) for name, value in shown.items()}


def _json(name: str, value: Any) -> Any:
    """Numbers, texts and lists stay; the rest is written as the property's text."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [_json(name, each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _json(name, each) for key, each in value.items()}
    return _text(name, value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return redact(", ".join(f"{key}: {each}" for key, each in value.items()))
    if isinstance(value, (bytes, bytearray, memoryview)) and len(value) > 64:
        return f"{len(value)} bytes"
    return redact(str(format_property(name, value)))


def _as_line(packet: Packet, pid: Link) -> Packet:
    times = (_time(packet.dts), _time(packet.cts), _time(packet.duration))
    flags = "".join(f" {name}" for name in ("seek", "discontinuity", "corrupted") if getattr(packet, name))
    print(pid.name, *times, packet.sap, packet.size, sep="  ", end=f"{flags}\n")
    return packet


def _time(ticks: int | None) -> str:
    return "-" if ticks is None else str(ticks)


def _as_json(packet: Packet, pid: Link) -> Packet:
    fields = ("dts", "cts", "duration", "sap", "size", "seek", "discontinuity", "corrupted")
    values = {name: getattr(packet, name) for name in fields}
    print(json.dumps({"pid": pid.name, "timescale": pid.properties.get("Timescale"), **values}))
    return packet
