"""Event recording: files that begin before the event."""

from __future__ import annotations

from reelway.record.many import Recorders
from reelway.record.recorder import Recorder
from reelway.record.recording import Recording, RecordingInfo, Trigger
from reelway.record.repair import Repaired, repair
from reelway.record.states import RecorderState

__all__ = [
    "Recorder", "RecorderState", "Recorders", "Recording", "RecordingInfo", "Repaired", "Trigger", "repair",
]  # fmt: skip
