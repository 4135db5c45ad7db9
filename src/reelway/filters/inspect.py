"""The inspector: writes down what passes."""

from __future__ import annotations

import logging
import os
import stat
import sys
import tempfile
from typing import IO, Any

from reelway.errors import OpenError, OptionError
from reelway.filters.report import Custom, Json, Passed, Report, Text
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.events import Stop

__all__ = ["Inspect"]

log = logging.getLogger("reelway.filters")
IN_MEMORY = 1 << 20  # bytes a PID before its lines go to a temporary file


class Inspect(Filter):
    """Writes the properties of streams, and with `deep` of every packet: GPAC's inspect. A sink.

    `fmt` gives packets a form: tokens stand between `$`, `@` or `%`, as in `%dts%-%cts%`. They are pn, dts,
    ddts, cts, dcts, ctso, dur, frame, sap, corr, seek, disc, size, csize, crc, sha1, data, start and end (as
    HH:MM:SS.ms), startc and endc (with a comma), lf, t, fn, the name of a packet's property, and `pid.` with
    the name or code of a PID's. `fmt=json` writes JSON lines instead. CRC-32 is that of zip and PNG.
    """

    registry_name = "inspect"
    inputs = (Caps(),)

    log: Any = option(
        "stdout",
        kind=object,
        help="stdout, stderr, null, GLOG (Python's logging), a path, or an object with write()",
    )
    deep: bool = option(False, live=True, help="write packets too; implied by a format")
    fmt: str = option("", help="json, or the form of a packet's line, with tokens")
    hdr: bool = option(True, help="begin with a line that names the tokens of fmt")
    full: bool = option(True, help="one property a line; if not, a line for each stream (GPAC's default)")
    props: bool = option(True, live=True, help="write the properties of packets")
    hash: str = option("crc", choices=("no", "crc", "sha1"), help="digest of each packet's bytes")
    dump_data: bool = option(False, help="write the bytes of packets, as hex digits")
    interleave: bool = option(
        True, help="lines in the order of arrival; if not, stream after stream at the end"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._target: IO[Any] | Any = None
        self._owned = self._binary = False
        self._report: Report | None = None
        self._parts: dict[int, IO[str]] = {}
        self._count = 0

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        target = self.log
        if isinstance(target, os.PathLike):
            target = os.fspath(target)
        if not isinstance(target, str) and not hasattr(target, "write"):
            raise OptionError(f"inspect:log={target!r} is no path and no object with write()")
        self.thread = "own" if _may_block(_standard(target) or target) else "session"

    def open(self) -> None:
        self._make_report()
        target = os.fspath(self.log) if isinstance(self.log, os.PathLike) else self.log
        if (standard := _standard(target)) is not None:
            self._target = standard
        elif target in ("null", "GLOG"):
            self._target = None
        elif isinstance(target, str):
            try:
                self._target = open(target, "w", encoding="utf-8")  # noqa: SIM115  # until close()
            except OSError as error:
                text = f"cannot write to {target}: {error.strerror}"
                raise OpenError(text, url=target, errno=error.errno) from error
            self._owned = True
        else:
            self._target = target
            self._binary = _takes_bytes(target)
        assert self._report is not None
        self._write(self._report.head())

    def configure(self, pid: Link) -> None:
        if pid.data is None:
            self._count += 1
            pid.data = Passed(self._count, pid)
        pid.data.configured += 1
        assert self._report is not None
        self._write(self._report.stream(pid.data), pid.data)

    def process(self) -> float | None:
        report, told = self._report, self.deep or self.fmt not in ("", "json")
        assert report is not None
        for pid in self.ipids:
            passed: Passed = pid.data
            lines: list[str] = []
            for packet in pid:
                passed.count(packet)
                if told:
                    lines.append(report.packet(passed, packet))
            if lines:
                self._write("".join(lines), passed)
        return None

    def restarted(self, pid: Link) -> None:
        if self._report is not None and pid.data is not None:
            self._write(self._report.news(pid.data, "restart"), pid.data)

    def remove(self, pid: Link) -> None:
        if self._report is not None and pid.data is not None:
            self._write(self._report.news(pid.data, "delete"), pid.data)

    def updated(self, name: str) -> None:
        self._make_report()

    def close(self) -> None:
        try:
            for number in sorted(self._parts):
                part = self._parts.pop(number)
                part.seek(0)
                while text := part.read(1 << 16):
                    self._put(text)
                part.close()
            if self._target is not None and hasattr(self._target, "flush"):
                self._target.flush()
        finally:
            if self._owned:
                self._target.close()
            self._target = None

    # Inside

    def _make_report(self) -> None:
        if self.fmt == "json":
            self._report = Json(properties=self.props, digest=self.hash, data=self.dump_data)
        elif self.fmt:
            self._report = Custom(self.fmt, head=self.hdr, filter_name=self.name)
        else:
            self._report = Text(full=self.full, properties=self.props, digest=self.hash, data=self.dump_data)

    def _write(self, text: str, passed: Passed | None = None) -> None:
        if not text:
            return
        if passed is None or self.interleave:
            self._put(text)
            return
        part = self._parts.get(passed.number)
        if part is None:
            part = tempfile.SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="")  # noqa: SIM115
            self._parts[passed.number] = part
        part.write(text)

    def _put(self, text: str) -> None:
        if self._target is None:
            if self.log == "GLOG":
                log.info("%s", text.rstrip("\n"))
            return
        try:
            self._target.write(text.encode() if self._binary else text)
        except BrokenPipeError as error:
            if _standard(self.log) is None:
                raise OpenError(f"{self.name} cannot write its log: {error}", errno=error.errno) from error
            self._target = None  # whoever read it has read enough, as `head` does
            for pid in self.ipids:
                pid.send_event(Stop())
        except OSError as error:
            raise OpenError(
                f"{self.name} cannot write its log: {error.strerror or error}", errno=error.errno
            ) from error


def _standard(target: Any) -> Any:
    """The stream that a name stands for."""
    if target == "stdout":
        return sys.stdout
    return sys.stderr if target == "stderr" else None


def _takes_bytes(target: Any) -> bool:
    try:
        target.write("")
    except TypeError:
        return True
    return False


def _may_block(target: Any) -> bool:
    """True for a pipe or a terminal: writing waits for who reads it."""
    try:
        mode = os.fstat(target.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return not stat.S_ISREG(mode)
