"""FFmpeg's own log, which is off: a callback from C into Python contends with all that runs."""

from __future__ import annotations

import logging

import av.logging

from reelway.engine import demux as _demux  # noqa: F401 - turns the log off when it is loaded, so it is loaded first
from reelway.errors import redact

__all__ = ["LOGGER", "set_level"]

LOGGER = "libav"
"""The logger that FFmpeg's messages come from, one below it for each of its modules."""

_LEVELS = {
    logging.DEBUG: av.logging.DEBUG,
    logging.INFO: av.logging.INFO,
    logging.WARNING: av.logging.WARNING,
    logging.ERROR: av.logging.ERROR,
}


def set_level(level: int) -> None:
    """Lets FFmpeg's messages of `level` (one of `logging`) and above through; above ERROR, none.

    They hold addresses as FFmpeg knows them, passwords included: these are hidden before any other handler,
    of whatever program, gets to see them.
    """
    logger = logging.getLogger(LOGGER)
    if _hide not in logger.handlers:
        logger.handlers.insert(0, _hide)
    av.logging.set_level(_LEVELS.get(level))
    logger.setLevel(level)


class _Hide(logging.Handler):
    """Writes nothing: the record that the handlers after it get has no secrets."""

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = redact(record.getMessage()), None


_hide = _Hide()
