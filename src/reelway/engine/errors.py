"""FFmpeg's errors in Reelway's words: what, where, how to fix."""

from __future__ import annotations

import errno as numbers
import os

import av

from reelway.errors import (
    DeadlineError,
    FormatError,
    OpenError,
    ReelwayError,
    UnsupportedError,
    redact,
)

_STARTS = {
    "MP4": (4, b"ftyp", ("mp4", "mov"), "qtdemux"),
    "Matroska": (0, b"\x1a\x45\xdf\xa3", ("matroska", "webm"), "matroskademux"),
    "Ogg": (0, b"OggS", ("ogg",), "oggdemux"),
    "AVI": (8, b"AVI ", ("avi",), "avidemux"),
    "WAV": (8, b"WAVE", ("wav",), "wavparse"),
    "FLV": (0, b"FLV\x01", ("flv",), "flvdemux"),
    "MPEG-TS": (188, b"\x47", ("mpegts",), "tsdemux"),
}
"""Container -> where its files have which bytes, the formats that read it, and the element that does."""


def quotable(error: BaseException) -> BaseException | None:
    """`error`, to be shown as a cause; None where its text would tell a password."""
    return error if redact(str(error)) == str(error) else None


def reading(error: BaseException, url: str, format: str = "") -> ReelwayError:
    """The error for `error`, raised while `url` was opened or read, as that container where one was named."""
    where = redact(url)
    match error:
        case ReelwayError():
            return error
        case av.error.PyAVCallbackError():
            cause = error.__cause__ or error.__context__
            return OpenError(f"reading from {where} failed: {cause or error}", url=url)
        case av.error.ExitError():
            return DeadlineError(
                f"{where} did not answer in time", hint="raise timeout_s, or check the address"
            )
        case av.error.ProtocolNotFoundError():
            scheme = url.partition(":")[0]
            return UnsupportedError(
                f"this build of FFmpeg cannot open {scheme}: addresses ({where})", hint="see `reelway doctor`"
            )
        case av.error.DemuxerNotFoundError():
            return UnsupportedError(
                f"this build of FFmpeg has no demuxer for {where}", hint="see `reelway doctor`"
            )
        case av.error.InvalidDataError() | av.error.EOFError():
            return _not_media(where, url, format)
        case av.error.PatchWelcomeError():
            return UnsupportedError(f"{where} uses what FFmpeg cannot read", hint="or the file is damaged")
        case av.error.HTTPError():
            return OpenError(f"{where}: the server answered: {error.strerror}", url=url, errno=error.errno)
        case OSError():
            return _world(error, where, url)
        case _:
            return FormatError(f"{where}: {redact(str(error))}")


def writing(error: BaseException, url: str, last: str = "", of_file: bool = False) -> ReelwayError:
    """The error for `error`, raised while `url` was opened or written.

    `last`: the packet that was given to the container last, in words; `of_file`: as a file had it. Where
    streams are interleaved, FFmpeg may have refused one that waited since shortly before.
    """
    where = redact(url)
    match error:
        case ReelwayError():
            return error
        case av.error.PyAVCallbackError():
            return OpenError(
                f"writing to {where} failed: {error.__cause__ or error.__context__ or error}", url=url
            )
        case av.error.ProtocolNotFoundError():
            scheme = url.partition(":")[0]
            return UnsupportedError(f"this build of FFmpeg cannot write to {scheme}: addresses ({where})")
        case av.error.InvalidDataError() | av.error.ArgumentError():
            if not last:
                return FormatError(f"{where}: the container refused a packet or a stream ({error.strerror})")
            hint = f"the {'source' if of_file else 'stream'} is damaged there; .ts takes most as it is; "
            return FormatError(
                f"{where}: the container refused a packet, when {last} was written ({error.strerror})",
                hint=hint
                + "encoded, what is damaged is left out: load_dst(..., video='libx264', audio='aac')",
            )
        case OSError():
            return _world(error, where, url)
        case _:
            return FormatError(f"{where}: {redact(str(error))}")


def _not_media(where: str, url: str, format: str) -> ReelwayError:
    path = url.removeprefix("file:")
    if not os.path.isfile(path):  # also: reading the start of a named pipe would wait for a writer
        hint = "what came is damaged or cut short; MP4 can be read where one cannot seek only in fragments"
        return FormatError(f"{where} gave no media that FFmpeg can read", hint=hint)
    try:
        with open(path, "rb") as file:
            start = file.read(192)
    except OSError:
        start = b""
    if not start:
        return FormatError(f"{where} is empty", hint="there is nothing in it to read")
    for name, (at, signature, formats, element) in _STARTS.items():
        if format and format not in formats and start[at:].startswith(signature):
            return FormatError(
                f"{where} is no {format}: it begins as {name} does",
                hint=f"format={formats[0]} reads it, or none; in a pipeline {element} does, or decodebin",
            )
    hint = "the file is damaged or cut short, or its name says another format than it holds"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start[:64]):
        hint = "it looks like text"
    elif start[4:8] == b"ftyp":
        hint = "its index (moov) is missing: the recording was cut off before it was finished"
    return FormatError(f"{where} holds no media that FFmpeg can read", hint=hint)


def _world(error: OSError, where: str, url: str) -> ReelwayError:
    number = error.errno
    hint = None
    if number == numbers.ENOENT:
        hint = "check the path" if "://" not in url else None
    elif number == numbers.EACCES:
        hint = "check the permissions"
    elif number in (numbers.ECONNREFUSED, numbers.EHOSTUNREACH, numbers.ENETUNREACH, numbers.EIO):
        hint = "check the address, and whether the server runs" if "://" in url else None
    text = os.strerror(number) if number and 0 < number < 200 else (error.strerror or str(error))
    return OpenError(f"{where}: {text}", url=url, errno=number, hint=hint)
