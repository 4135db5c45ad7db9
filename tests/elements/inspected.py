"""What `gst-inspect-1.0` says of an element, where GStreamer is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache

GST = shutil.which("gst-inspect-1.0")


@dataclass
class Said:
    """One property: the name of its type, its range, its default as text, and its choices."""

    kind: str = ""
    low: float | None = None
    high: float | None = None
    default: str = ""
    choices: dict[str, int] = field(default_factory=dict)
    writable: bool = True


@dataclass
class Element:
    properties: dict[str, Said] = field(default_factory=dict)
    pads: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Template's name -> (direction, presence)."""


@cache
def inspected(name: str) -> Element | None:
    """None where there is no such element here."""
    if GST is None:
        return None
    done = subprocess.run([GST, "--no-colors", name], capture_output=True, text=True, timeout=60)
    return parsed(done.stdout) if done.returncode == 0 and done.stdout else None


def parsed(text: str) -> Element:
    element = Element()
    section, pad, said = "", "", None
    for line in text.splitlines():
        if line and not line.startswith(" "):
            section = line.strip(":")
        elif section == "Pad Templates":
            if found := re.match(r"  (SRC|SINK) template: '(.*)'", line):
                pad = found[2]
                element.pads[pad] = (found[1].lower(), "")
            elif found := re.match(r"    Availability: (.*)", line):
                element.pads[pad] = (element.pads[pad][0], found[1])
        elif section == "Element Properties":
            if found := re.match(r"  (\S+?) *: ", line):
                said = element.properties.setdefault(found[1], Said())
            elif said is not None:
                _read(line, said)
    return element


def _read(line: str, said: Said) -> None:
    if found := re.match(r" +flags: (.*)", line):
        said.writable = "writable" in found[1]
    elif found := re.match(r" +\((0x[0-9a-f]+|-?\d+)\): (.+?) +- ", line):
        said.choices.setdefault(found[2], int(found[1], 0))
    elif not said.kind and line.strip():
        words = line.strip()
        said.kind = re.split(r"[. ]", words.removeprefix("Unsigned "))[0]
        if found := re.search(r"Range: +(\S+) +- +(\S+)", words):
            said.low, said.high = _number(found[1]), _number(found[2])
        if found := re.search(r"Default: +(.*)", words):
            said.default = found[1].strip()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
