"""Names, types, defaults, ranges and choices are those of the GStreamer that is installed."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reelway import elements
from reelway.elements import ElementKind, Property
from tests.elements.inspected import Said, inspected

pytestmark = pytest.mark.debian("gstreamer1.0-tools")

OURS = {("rtpsink", "sdp"), ("videotestsrc", "counter")}
"""Properties that GStreamer does not have."""
ODD = {("fdsrc", "fd"), ("souphttpsrc", "user-agent")}
"""A default outside of its range, and one that names GStreamer."""
TYPES = {
    bool: {"Boolean"},
    int: {"Integer", "Integer64"},
    float: {"Float", "Double"},
    str: {"String", "Caps", "ANY"},
    Fraction: {"Fraction"},
    object: {"Object", "Boxed"},
}
PRESENCE = {"always": "Always", "sometimes": "Sometimes", "request": "On request"}
HERE = [elements.find(name) for name in elements.names()]


def known(kind: ElementKind) -> None:
    if inspected(kind.name) is None:
        pytest.skip("not installed")


@pytest.mark.parametrize(
    "kind", [each for each in HERE if each.role != "missing"], ids=lambda kind: kind.name
)
def test_properties_are_those_of_gstreamer(kind: ElementKind) -> None:
    known(kind)
    element = inspected(kind.name)
    assert element is not None
    wrong = {}
    for each in kind.properties:
        said = element.properties.get(each.name)
        if (kind.name, each.name) in OURS:
            assert said is None
        elif said is None:
            wrong[each.name] = "not there"
        elif (kind.name, each.name) not in ODD and (found := differs(each, said)):
            wrong[each.name] = ", ".join(found)
    assert wrong == {}


def differs(each: Property, said: Said) -> list[str]:
    found = []
    if each.choices:
        mine = {choice.nick: choice.number for choice in each.choices}
        if said.kind != ("Flags" if each.flags else "Enum"):
            found.append(f"is a {said.kind}")
        if not mine.items() <= said.choices.items():
            found.append(f"has {said.choices}")
    elif said.kind and said.kind not in TYPES[each.kind] and not (each.kind is str and "/" in said.kind):
        found.append(f"is a {said.kind}")
    if each.writable != said.writable:
        found.append("is written" if said.writable else "is only read")
    if each.low is not None and said.low is not None and each.low != pytest.approx(said.low):
        found.append(f"begins at {said.low}")
    if each.high is not None and said.high is not None and each.high != pytest.approx(said.high):
        found.append(f"ends at {said.high}")
    if each.writable and not same(each, said):
        found.append(f"is {said.default} by default")
    return found


def same(each: Property, said: Said) -> bool:
    """Whether the defaults are; objects have none, and what is not printed cannot be compared."""
    default = said.default
    if each.flags:
        nicks = set(default.partition('"')[2].rstrip('"').split("+")) - {"(none)"}
        return nicks == set(filter(None, str(each.default).split("+")))
    if each.choices:
        return bool(default.partition('"')[2].rstrip('"') == each.default)
    if each.kind is bool:
        return default == str(each.default).lower()
    if each.kind in (int, float):
        return bool(float(default) == pytest.approx(each.default))
    if each.kind is str and default.startswith('"'):
        return bool(default.strip('"') == each.default)
    if each.kind is str and default in ("null", "", "(NULL)"):
        return each.default is None or "/" in str(said.kind) or each.default == said.kind
    return True


@pytest.mark.parametrize("kind", [each for each in HERE if each.pads], ids=lambda kind: kind.name)
def test_pads_are_those_of_gstreamer(kind: ElementKind) -> None:
    known(kind)
    element = inspected(kind.name)
    assert element is not None
    for pad in kind.pads:
        assert element.pads.get(pad.name) == (pad.direction, PRESENCE[pad.presence]), pad.name
