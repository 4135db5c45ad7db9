"""libgpac's two statistics records, filled from a session's snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import reelway as rw
from reelway.compat.libgpac.values import Fraction64

if TYPE_CHECKING:
    from reelway.compat.libgpac.filters import Filter
    from reelway.runtime.statistics import Statistics

__all__ = ["FilterPidStatistics", "FilterStats"]

UNKNOWN, RAW_IN, DEMUX, DECODE, ENCODE, MUX, RAW_OUT, MEDIA_SINK, MEDIA_SOURCE = range(9)
"""What `FilterStats.type` says of a filter."""

_ORDER = (
    "ObjectDescriptor ClockReference SceneDescription Visual Audio MPEG7 IPMP OCI MPEGJ Interaction".split()
)
STREAM_TYPES = {name: number for number, name in enumerate(_ORDER, start=1)} | {"Text": 13}
"""The numbers of `FilterStats.stream_type` (ISO/IEC 14496-1 table 6, and libgpac's own for text)."""


@dataclass(slots=True)
class FilterStats:
    """A filter at work. Times are microseconds; texts are bytes; 0 where Reelway does not count."""

    filter: Any = None
    filter_alias: Any = None
    nb_tasks_done: int = 0
    nb_pck_processed: int = 0
    nb_bytes_processed: int = 0
    nb_pck_sent: int = 0
    nb_hw_pck_sent: int = 0
    nb_errors: int = 0
    nb_bytes_sent: int = 0
    time_process: int = 0
    percent: int = -1
    status: bytes | None = None
    report_updated: bool = False
    name: bytes | None = None
    reg_name: bytes | None = None
    filter_id: bytes | None = None
    done: bool = False
    nb_pid_in: int = 0
    nb_in_pck: int = 0
    nb_pid_out: int = 0
    nb_out_pck: int = 0
    in_eos: bool = False
    type: int = UNKNOWN
    stream_type: int = 0
    codecid: int = 0
    last_ts_sent: Fraction64 = field(default_factory=Fraction64)
    last_ts_drop: Fraction64 = field(default_factory=Fraction64)


@dataclass(slots=True)
class FilterPidStatistics:
    """A PID at work. Times are microseconds, rates bits a second; 0 where Reelway does not count."""

    disconnected: int = 0
    average_process_rate: int = 0
    max_process_rate: int = 0
    average_bitrate: int = 0
    max_bitrate: int = 0
    nb_processed: int = 0
    max_process_time: int = 0
    total_process_time: int = 0
    first_process_time: int = 0
    last_process_time: int = 0
    min_frame_dur: int = 0
    nb_saps: int = 0
    max_sap_process_time: int = 0
    total_sap_process_time: int = 0
    max_buffer_time: int = 0
    max_playout_time: int = 0
    min_playout_time: int = 0
    buffer_time: int = 0
    nb_buffer_units: int = 0
    last_rt_report: int = 0
    rtt: int = 0
    jitter: int = 0
    loss_rate: int = 0
    last_ts_drop: Fraction64 = field(default_factory=Fraction64)
    last_ts_sent: Fraction64 = field(default_factory=Fraction64)


_KINDS = {"demux": DEMUX, "decode": DECODE, "encode": ENCODE, "mux": MUX}


def of_filter(face: Filter, snapshot: Statistics) -> FilterStats:
    """What `snapshot` says of one filter."""
    filter = face._filter
    place = face._session._session.filters.index(filter)  # names may be given twice
    found = snapshot.filters[place] if place < len(snapshot.filters) else None
    stats = FilterStats(filter=face, name=filter.name.encode())
    stats.reg_name = (filter.registry_name or filter.name).encode()
    stats.nb_pid_in, stats.nb_pid_out = len(filter.ipids), len(filter.opids)
    stats.percent = face._percent
    stats.in_eos = any(link.ended for link in filter.ipids) or any(pid.ended for pid in filter.opids)
    ends = RAW_IN if not filter.ipids else RAW_OUT if not filter.opids else UNKNOWN
    stats.type = _KINDS.get(filter.registry_name, ends)
    stats.stream_type = STREAM_TYPES.get(face.get_info("StreamType"), 0)
    if found is not None:
        stats.nb_tasks_done, stats.nb_errors = found.turns, found.errors
        stats.nb_pck_processed = stats.nb_in_pck = found.packets_in
        stats.nb_pck_sent = stats.nb_out_pck = found.packets_out
        stats.nb_bytes_processed, stats.nb_bytes_sent = found.bytes_in, found.bytes_out
        stats.time_process = round(found.wall_s * 1_000_000)
        stats.status = found.status.encode() or None
        stats.done = found.state in ("done", "closed", "abandoned")
    return stats


def of_pid(links: Sequence[rw.Link]) -> FilterPidStatistics:
    """What the queues behind a PID say, summed up."""
    stats = FilterPidStatistics()
    stats.disconnected = int(not links)
    stats.nb_processed = sum(link.packets_out for link in links)
    stats.nb_buffer_units = max((len(link) for link in links), default=0)
    stats.buffer_time = max((link.buffer_us for link in links), default=0)
    stats.max_buffer_time = max((round(link.limits.seconds * 1_000_000) for link in links), default=0)
    return stats
