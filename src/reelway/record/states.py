"""What a recorder does at the moment, and what may follow what."""

from __future__ import annotations

from enum import Enum

from reelway.errors import StateError

__all__ = ["RecorderState", "follow"]


class RecorderState(Enum):
    """detached: nothing comes in; buffering: the ring fills; starting: a file is asked for; recording: it is
    there, and grows; finishing: it has all that it gets, and is being closed."""

    DETACHED = "detached"
    BUFFERING = "buffering"
    STARTING = "starting"
    RECORDING = "recording"
    FINISHING = "finishing"


_S = RecorderState
_FOLLOWS: dict[RecorderState, frozenset[RecorderState]] = {
    _S.DETACHED: frozenset({_S.BUFFERING}),
    _S.BUFFERING: frozenset({_S.STARTING, _S.DETACHED}),
    # a file that cannot be opened leads back; an end may come before the first packet is written
    _S.STARTING: frozenset({_S.RECORDING, _S.FINISHING, _S.BUFFERING, _S.DETACHED}),
    _S.RECORDING: frozenset({_S.FINISHING, _S.BUFFERING, _S.STARTING, _S.DETACHED}),
    _S.FINISHING: frozenset({_S.BUFFERING, _S.STARTING, _S.RECORDING, _S.DETACHED}),
}


def follow(now: RecorderState, then: RecorderState) -> RecorderState:
    """`then`, where it may come after `now`. Raises StateError."""
    if then is not now and then not in _FOLLOWS[now]:
        raise StateError(f"a recorder that is {now.value} cannot be {then.value} next")
    return then
