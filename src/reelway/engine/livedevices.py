"""Cameras, screens and microphones of this machine, as FFmpeg's devices: how they are asked, what fails.

FFmpeg's interrupt callback does not reach into a device. So cameras and microphones are opened in such a way
that reading gives at once what is there, and an X server is asked whether it answers before FFmpeg asks it.
An X server that hangs later, without being gone, is waited for until it goes on.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy

from reelway.engine.cameras import cameras, offers, offers_text
from reelway.engine.frame import CodecFrame
from reelway.engine.rawformat import CODED_ONLY, MATRICES
from reelway.errors import DeadlineError, OpenError, OptionError, ReelwayError, UnsupportedError
from reelway.media.addresses import Device
from reelway.media.values import Size

__all__ = [
    "CLOCKED",
    "V4L2",
    "Asked",
    "broken",
    "check",
    "frame_of",
    "make_ready",
    "owned",
    "raw_of",
    "refused",
    "wall_of",
]

V4L2 = "video4linux2,v4l2"
AT_ONCE = {V4L2, "alsa"}
"""Read without waiting: a camera that gives nothing would be waited for in the kernel, for ever."""
CLOCKED = {V4L2, "alsa", "x11grab", "fbdev"}
"""Their times are those of a clock of this machine."""
NAMES = {"size": "video_size", "fps": "framerate", "input_format": "input_format"}
"""Option of `live` -> FFmpeg's, for devices of pictures; in an address both names are known."""
SCREEN_FPS = "30"
NEAR_NS = 10_000_000_000
NOW = "+4"
"""AVFMT_FLAG_NONBLOCK, for which FFmpeg's options have no name."""
X_SOCKETS = Path("/tmp/.X11-unix")
ALSA_CONFIG = "/usr/share/alsa/alsa.conf"
"""Where systems have it; the ALSA in PyAV's wheels looks for it where it was built."""


class Asked:
    """What a device is asked for, by its address and by options, of which the latter count more."""

    def __init__(
        self, device: Device, size: Size | None = None, fps: Fraction | None = None, input_format: str = ""
    ) -> None:
        self.device = device
        self.options = {NAMES.get(name, name): value for name, value in device.options.items()}
        said = {"video_size": size, "framerate": fps, "input_format": input_format}
        self.options |= {name: str(value) for name, value in said.items() if value}
        self.name = device.name
        if device.format == "x11grab":
            self.options.setdefault("framerate", SCREEN_FPS)
            if self.name[:1] in ("", "+"):
                self.name = os.environ.get("DISPLAY", "") + self.name
        if device.format in AT_ONCE:
            self.options.setdefault("fflags", NOW)

    @property
    def size(self) -> tuple[int, int] | None:
        """None: whatever it gives."""
        sides = self.options.get("video_size", "").split("x")
        return (int(sides[0]), int(sides[1])) if len(sides) == 2 and all(map(str.isdigit, sides)) else None


def make_ready(asked: Asked, where: str, until_s: float) -> dict[str, str]:
    """Before it is opened, the options for that. Raises where nobody is there, or FFmpeg would hang."""
    device, options = asked.device, {**asked.options}
    if device.format not in av.formats_available:
        raise UnsupportedError(
            f"this build of FFmpeg reads no {device.format} devices ({where})", hint="see `reelway doctor`"
        )
    if device.format == "x11grab":
        _ask_x_server(asked.name, where, until_s)
        if "+" in asked.name and asked.size is None and (rest := _from_place(asked.name)):
            options["video_size"] = rest
    elif device.format == "alsa" and os.path.exists(ALSA_CONFIG):
        os.environ.setdefault("ALSA_CONFIG_PATH", ALSA_CONFIG)
    elif device.format in (V4L2, "fbdev"):
        try:
            os.close(os.open(asked.name, os.O_RDWR | os.O_NONBLOCK))
        except OSError as error:
            raise _not_opened(error, asked, where) from None
    return options


def check(container: Any, asked: Asked, where: str) -> None:
    """Once it is open: raises UnsupportedError where its pictures are of another size than was asked for.

    V4L2 lets a driver take what it likes better.
    """
    stream = next((each for each in container.streams if each.type == "video"), None)
    if stream is None or asked.size in (None, (stream.width, stream.height)):
        return
    raise _no_such_size(asked, where, f"it would give {stream.width}x{stream.height}")


def refused(error: BaseException, asked: Asked, where: str) -> ReelwayError | None:
    """What FFmpeg means by `error`, with which it did not open it; None for any other error."""
    number = getattr(error, "errno", None)
    format = asked.device.format
    if format == "lavfi":
        return OptionError(
            f"{where}: FFmpeg takes no such filters",
            hint="as in lavfi:testsrc2=size=640x360:rate=25; see FFmpeg's documentation of filters",
        )
    if format == "x11grab" and number == errno.EINVAL:
        return _outside(asked, where)
    if format == "x11grab" and _display_of(asked.name) is None:
        return _no_x_server(asked.name.partition("+")[0], where, number)
    if format == "x11grab":
        return OpenError(
            f"{where}: the X server does not let us see its screen",
            url=where,
            errno=errno.EACCES,
            hint="XAUTHORITY names the file with its key; `xhost +si:localuser:$USER` opens it to you",
        )
    if format == "alsa":
        return OpenError(
            f"{where}: there is no such sound device, or another program has it",
            url=where,
            errno=number,
            hint="`arecord -L` names those that there are; alsa:default is what the desktop uses",
        )
    if format == V4L2 and number == errno.EINVAL:
        return _no_such_size(asked, where, "the driver refuses it")
    return _not_opened(error, asked, where) if isinstance(error, OSError) else None


def broken(error: BaseException, format: str, where: str) -> ReelwayError | None:
    """What FFmpeg means by `error` where it read from a device; None: what it says, or it was no device."""
    if not format or isinstance(error, ReelwayError):
        return None
    number = getattr(error, "errno", None)
    if isinstance(error, av.error.ExternalError) or number in (errno.ENODEV, errno.ENXIO, errno.EIO):
        what = (
            "the X server is gone" if format == "x11grab" else "it was pulled out, or does not work any more"
        )
        return OpenError(f"{where}: {what}", url=where, errno=number)
    return None


def owned(packet: Any) -> Any:
    """The same packet in memory of its own.

    What V4L2 gives lies in the driver's buffers. They are few, and gone with the device, whoever still looks
    at them: FFmpeg warns of that, and players that keep them crash. numpy copies without the GIL.
    """
    new: Any = av.Packet(packet.size)
    numpy.frombuffer(new, numpy.uint8)[:] = numpy.frombuffer(packet, numpy.uint8)
    new.pts, new.dts, new.duration = packet.pts, packet.dts, packet.duration
    new.time_base = packet.time_base
    new.is_keyframe, new.is_corrupt = packet.is_keyframe, packet.is_corrupt
    return new


def raw_of(stream: Any, properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to say of a stream whose packets hold frames, as FFmpeg's filters have it; None: of another."""
    if properties["CodecID"] != "wrapped_avframe":
        return None
    context = stream.codec_context
    said = {name: value for name, value in properties.items() if name not in CODED_ONLY}
    full = {1: False, 2: True}.get(int(context.color_range))
    found = {"ColorMatrix": MATRICES.get(int(context.colorspace)), "FullRange": full}
    return {**said, "CodecID": "raw", **{name: value for name, value in found.items() if value is not None}}


def frame_of(packet: Any) -> CodecFrame:
    """The frame in a packet of such a stream. The packet holds a pointer, which nobody else may see."""
    return CodecFrame(packet.decode()[0])


def wall_of(time_ns: int) -> int | None:
    """`time_ns` of some clock of this machine as time since 1970 [ns]; None where it is of neither."""
    wall, steady = time.time_ns(), time.monotonic_ns()
    if abs(wall - time_ns) < NEAR_NS:
        return time_ns
    return wall - steady + time_ns if abs(steady - time_ns) < NEAR_NS else None


def _not_opened(error: OSError, asked: Asked, where: str) -> OpenError:
    number, path = error.errno or 0, asked.name
    camera = asked.device.format == V4L2
    what, hint = {
        errno.ENOENT: ("there is no such camera" if camera else "there is no such device", _others()),
        errno.EBUSY: ("another program uses it", f"`fuser -v {path}` names the program"),
        errno.EACCES: ("you may not use it", _group(path)),
        errno.EPERM: ("you may not use it", _group(path)),
        errno.ENOSPC: (
            "the USB port has no room for its pictures",
            "input_format=mjpeg, a smaller size or fewer fps take less; so does another port",
        ),
        errno.EIO: ("it does not work", "plug it in again; `dmesg` may say more"),
    }.get(number, ("", ""))
    if number in (errno.ENODEV, errno.ENXIO, errno.ENOTTY, errno.ENOSYS):
        what, hint = ("it is no camera that gives pictures, or was pulled out just now", _others())
    what = what or os.strerror(number)
    return OpenError(f"{where}: {what}", url=where, errno=number, hint=hint or None)


def _others() -> str:
    """Which cameras there are instead."""
    try:
        found = ", ".join(f"{each.device} ({each.name})" for each in cameras())
    except UnsupportedError:
        return "check its name"
    return f"this machine has {found}" if found else "this machine has no camera"


def _group(path: str) -> str:
    """Who may use `path`, and how to become one of them."""
    import grp

    try:
        name = grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError):
        name = "video"
    return f"add yourself to group {name}: sudo usermod -aG {name} $USER; then log in again"


def _no_such_size(asked: Asked, where: str, why: str) -> UnsupportedError:
    format = asked.options.get("input_format", "")
    size = asked.options.get("video_size", "")
    wanted = " ".join(filter(None, [size, f"as {format}" if format else ""])) or "such pictures"
    found = offers(asked.name) if asked.device.format == V4L2 else []
    fitting = [each for each in found if not format or each.format == format]
    text = offers_text(fitting or found)
    return UnsupportedError(
        f"{where} offers no pictures of {wanted}: {why}",
        hint=f"it offers {text}" if text else "leave out size and input_format for what it prefers",
    )


def _outside(asked: Asked, where: str) -> UnsupportedError:
    """What is asked for lies beside the screen."""
    found = _screen_size(asked.name)
    whole = f"; the screen is {found[0]}x{found[1]}" if found else ""
    place = asked.name.partition("+")[2]
    what = " ".join(filter(None, [asked.options.get("video_size", ""), f"at {place}" if place else ""]))
    return UnsupportedError(
        f"{where}: {what or 'what is asked for'} is not all on the screen{whole}",
        hint="without a size the whole screen is taken",
    )


def _from_place(name: str) -> str:
    """The size of what lies between a place on the screen and its lower right corner; empty: nothing."""
    screen = _screen_size(name)
    place = re.fullmatch(r"(\d+),(\d+)", name.partition("+")[2])
    if screen is None or place is None:
        return ""
    width, height = screen[0] - int(place[1]), screen[1] - int(place[2])
    return f"{width}x{height}" if width > 0 < height else ""


def _screen_size(name: str) -> tuple[int, int] | None:
    try:
        with av.open(name.partition("+")[0], format="x11grab", options={"fpsprobesize": "0"}) as screen:
            stream = screen.streams.video[0]
            return stream.width, stream.height
    except (av.error.FFmpegError, OSError):
        return None


def _ask_x_server(name: str, where: str, until_s: float) -> None:
    """Raises OpenError or DeadlineError where no X server answers: FFmpeg would wait for ever.

    It begins as any client does, with the connection setup of the X protocol (version 11, section 8); an
    answer of any kind is one, also that there must be a key, which FFmpeg has.
    """
    display = name.partition("+")[0]
    if not display:
        hint = "set it to the screen to look at, as DISPLAY=:0, or say it: screen::0"
        if os.environ.get("WAYLAND_DISPLAY"):
            hint = "this desktop is Wayland's, which lets no program look at the screen in this way"
        raise OpenError(f"{where}: there is no screen: DISPLAY is not set", url=where, hint=hint)
    place = _display_of(name)
    if place is None:
        return  # of some other kind, which the X library may know
    try:
        with _connected(*place, until_s) as server:
            server.sendall(b"l\0\x0b\0\0\0\0\0\0\0\0\0")
            answered = bool(server.recv(1))
    except TimeoutError:
        raise DeadlineError(
            f"{where}: the X server {display} did not answer in time", hint="it hangs; look at its machine"
        ) from None
    except OSError as error:
        raise _no_x_server(display, where, error.errno) from None
    if not answered:
        raise OpenError(f"{where}: the X server {display} hangs up", url=where, errno=errno.ECONNRESET)


def _display_of(name: str) -> tuple[str, int] | None:
    """Host (empty: this one) and number of an X server; None for a name of another form."""
    display = name.partition("+")[0]
    parts = re.fullmatch(r"(?:\w+/)?(\[[^]]*\]|[^:\[]*):(\d+)(?:\.\d+)?", display)
    return (parts[1].strip("[]"), int(parts[2])) if parts else None


def _no_x_server(display: str, where: str, number: int | None) -> OpenError:
    return OpenError(
        f"{where}: there is no X server {display}",
        url=where,
        errno=number,
        hint="DISPLAY says which there is; screen::0.0+10,20 names server, screen and place",
    )


def _connected(host: str, number: int, until_s: float) -> socket.socket:
    left_s = max(0.01, until_s - time.monotonic())
    if host not in ("", "unix"):
        return socket.create_connection((host, 6000 + number), left_s)
    found = socket.socket(socket.AF_UNIX)
    found.settimeout(left_s)
    try:
        path = str(X_SOCKETS / f"X{number}")
        try:
            found.connect(path)
        except FileNotFoundError:
            found.connect("\0" + path)  # where the server is in another file system
    except BaseException:
        found.close()
        raise
    return found
