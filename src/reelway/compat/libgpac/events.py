"""libgpac's event records, and their way to and from Reelway's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reelway as rw
from reelway import events
from reelway.compat.libgpac import constants as gf

__all__ = [
    "FEVT_AttachScene",
    "FEVT_Base",
    "FEVT_BufferRequirement",
    "FEVT_FileDelete",
    "FEVT_Play",
    "FEVT_QualitySwitch",
    "FEVT_SegmentSize",
    "FEVT_SourceSeek",
    "FEVT_VisibilityHint",
    "FilterEvent",
]


@dataclass(slots=True)
class FEVT_Base:
    """What every event has: its GF_FEVT_ type and the PID it was sent on."""

    type: int = 0
    on_pid: Any = None


@dataclass(slots=True)
class FEVT_Play(FEVT_Base):
    """Seconds of media time; an `end_range` of 0 or less is the end. Also for GF_FEVT_SET_SPEED."""

    start_range: float = 0.0
    end_range: float = 0.0
    speed: float = 0.0
    from_pck: int = 0
    hw_buffer_reset: int = 0
    initial_broadcast_play: int = 0
    timestamp_based: int = 0
    full_file_only: int = 0
    forced_dash_segment_switch: int = 0
    drop_non_ref: int = 0
    no_byterange_forward: int = 0


@dataclass(slots=True)
class FEVT_SourceSeek(FEVT_Base):
    """Byte offsets in the source."""

    start_offset: int = 0
    end_offset: int = 0
    source_switch: bytes | None = None
    is_init_segment: int = 0
    skip_cache_expiration: int = 0
    hint_block_size: int = 0


@dataclass(slots=True)
class FEVT_SegmentSize(FEVT_Base):
    seg_url: bytes | None = None
    is_init: bool = False
    media_range_start: int = 0
    media_range_end: int = 0
    idx_range_start: int = 0
    idx_range_end: int = 0


@dataclass(slots=True)
class FEVT_AttachScene(FEVT_Base):
    odm: Any = None
    node: Any = None


@dataclass(slots=True)
class FEVT_QualitySwitch(FEVT_Base):
    up: bool = False
    dependent_group_index: int = 0
    q_idx: int = 0
    set_tile_mode_plus_one: int = 0
    quality_degradation: int = 0


@dataclass(slots=True)
class FEVT_FileDelete(FEVT_Base):
    url: bytes | None = None


@dataclass(slots=True)
class FEVT_VisibilityHint(FEVT_Base):
    min_x: int = 0
    max_x: int = 0
    min_y: int = 0
    max_y: int = 0
    is_gaze: bool = False


@dataclass(slots=True)
class FEVT_BufferRequirement(FEVT_Base):
    """Microseconds."""

    max_buffer_us: int = 0
    max_playout_us: int = 0
    min_playout_us: int = 0
    pid_only: bool = False


PARTS: dict[str, type[FEVT_Base]] = {
    "base": FEVT_Base,
    "play": FEVT_Play,
    "seek": FEVT_SourceSeek,
    "attach_scene": FEVT_AttachScene,
    "quality_switch": FEVT_QualitySwitch,
    "visibility_hint": FEVT_VisibilityHint,
    "buffer_req": FEVT_BufferRequirement,
    "seg_size": FEVT_SegmentSize,
    "file_del": FEVT_FileDelete,
}


class FilterEvent:
    """An event: `base` says what it is, and the part that fits its type says the rest.

    In libgpac the parts share their memory; here each is made when first asked for, and `base` rules.
    """

    base: FEVT_Base
    play: FEVT_Play
    seek: FEVT_SourceSeek
    attach_scene: FEVT_AttachScene
    quality_switch: FEVT_QualitySwitch
    visibility_hint: FEVT_VisibilityHint
    buffer_req: FEVT_BufferRequirement
    seg_size: FEVT_SegmentSize
    file_del: FEVT_FileDelete

    def __init__(self, type: int = 0) -> None:
        self.base = FEVT_Base(type)

    def __getattr__(self, name: str) -> FEVT_Base:
        kind = PARTS.get(name)
        if kind is None:
            known = rw.UnknownNameError.of("part of a FilterEvent", name, PARTS)
            raise AttributeError(f"{known} ({known.hint})")
        part = kind(self.base.type, self.base.on_pid)
        setattr(self, name, part)
        return part


def to_reelway_event(evt: FilterEvent) -> events.Event | None:
    """The event to send for a script's; None where Reelway does it unasked.

    A session plays as soon as it runs, so a PLAY from the beginning at normal speed is nothing to send.
    What Reelway has no event for travels as a `User` event named by its number, for other custom filters.
    """
    match evt.base.type:
        case gf.GF_FEVT_PLAY:
            play = evt.play
            speed = play.speed or 1.0
            if play.start_range <= 0 and play.end_range <= 0 and speed == 1.0:
                return None
            end = play.end_range if play.end_range > 0 else None
            return events.Play(start_s=max(0.0, play.start_range), end_s=end, speed=speed)
        case gf.GF_FEVT_STOP:
            return events.Stop()
        case gf.GF_FEVT_BUFFER_REQ:
            need = evt.buffer_req
            return events.BufferRequirement(
                max_buffer_us=need.max_buffer_us or None,
                min_playout_us=need.min_playout_us or None,
                max_playout_us=need.max_playout_us or None,
            )
    return events.User(name=f"libgpac.{evt.base.type}", value=evt)


def from_reelway_event(event: events.Event) -> FilterEvent:
    """A passing event, as `process_event` sees it."""
    match event:
        case events.Play():
            evt = FilterEvent(gf.GF_FEVT_PLAY)
            evt.play.start_range, evt.play.end_range = event.start_s, event.end_s or 0.0
            evt.play.speed = event.speed
        case events.Seek():
            evt = FilterEvent(gf.GF_FEVT_PLAY)
            evt.play.start_range, evt.play.speed = event.time_s, 1.0
        case events.Stop():
            evt = FilterEvent(gf.GF_FEVT_STOP)
        case events.BufferRequirement():
            evt = FilterEvent(gf.GF_FEVT_BUFFER_REQ)
            evt.buffer_req.max_buffer_us = event.max_buffer_us or 0
            evt.buffer_req.min_playout_us = event.min_playout_us or 0
            evt.buffer_req.max_playout_us = event.max_playout_us or 0
        case events.User(value=FilterEvent()):
            evt = event.value
        case _:
            evt = FilterEvent(gf.GF_FEVT_USER)
    return evt
