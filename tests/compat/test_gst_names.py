"""The namespaces of GStreamer's face: what they are called, what is in them, and what is said of the rest."""

from __future__ import annotations

import inspect
from importlib import import_module
from types import FunctionType, ModuleType

import pytest

import reelway as rw
from reelway.compat import gi
from reelway.compat.gi import repository

SPACES = {name: import_module(module) for name, module in repository.NAMESPACES.items()}


@pytest.mark.parametrize("name", SPACES)
def test_a_namespace_can_be_required_and_is_the_module(name: str) -> None:
    gi.require_version(name, gi.VERSIONS[name])
    assert gi.get_required_version(name) == gi.VERSIONS[name]
    assert getattr(repository, name) is SPACES[name]


@pytest.mark.parametrize(("name", "space"), SPACES.items(), ids=list(SPACES))
def test_what_is_public_is_there_and_is_explained(name: str, space: ModuleType) -> None:
    for each in space.__all__:
        found = getattr(space, each)
        values = hasattr(found, "__enum_values__") or hasattr(found, "__flags_values__")
        if isinstance(found, (type, FunctionType)) and not values:
            assert inspect.getdoc(found), each
    assert len(set(space.__all__)) == len(space.__all__)


def test_classes_say_that_they_are_gis() -> None:
    assert repr(SPACES["Gst"].Buffer) == "<class 'gi.repository.Gst.Buffer'>"
    assert repr(SPACES["GLib"].MainLoop) == "<class 'gi.repository.GLib.MainLoop'>"


@pytest.mark.parametrize(
    ("namespace", "version", "says"),
    [
        ("Gst", "0.10", "Namespace Gst not available for version 0.10"),
        ("GstRtspServer", "1.0", "Namespace GstRtspServer not available"),
        ("Gtk", "3.0", "Namespace Gtk not available"),
    ],
)
def test_what_cannot_be_required_is_a_value_error(namespace: str, version: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        gi.require_version(namespace, version)
    assert isinstance(caught.value, rw.UnsupportedError)
    assert caught.value.hint


def test_what_cannot_be_imported_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="Namespace Gts not available") as caught:
        from reelway.compat.gi.repository import Gts  # type: ignore[attr-defined] # noqa: F401
    assert "'Gst'" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("namespace", "name", "near"),
    [
        ("Gst", "parse_lanch", "parse_launch"),
        ("Gst", "Pipelin", "Pipeline"),
        ("GLib", "MainLop", "MainLoop"),
        ("GObject", "Propert", "Property"),
        ("GstApp", "Appsink", "AppSink"),
        ("GstBase", "BaseTransfrom", "BaseTransform"),
        ("GstVideo", "VideoInf", "VideoInfo"),
    ],
)
def test_an_unknown_name_tells_the_nearest(namespace: str, name: str, near: str) -> None:
    with pytest.raises(AttributeError, match=f"has no attribute '{name}' .*'{near}'"):
        getattr(SPACES[namespace], name)


@pytest.mark.parametrize(
    ("namespace", "name", "instead"),
    [
        ("Gst", "DeviceMonitor", "v4l2src"),
        ("Gst", "BufferPool", "memory is Python's"),
        ("GstBase", "Aggregator", "compositor"),
        ("GstVideo", "VideoFrame", "VideoInfo"),
        ("GLib", "Variant", "Python values"),
    ],
)
def test_what_is_not_there_says_what_to_use(namespace: str, name: str, instead: str) -> None:
    found = getattr(SPACES[namespace], name)
    for use in (found, lambda: found.new(), lambda: type("Mine", (found,), {})):
        with pytest.raises(rw.UnsupportedError, match=f"{namespace}.{name}") as caught:
            use()
        assert instead in str(caught.value.hint)


def test_pads_are_not_made_by_hand() -> None:
    gst = SPACES["Gst"]
    with pytest.raises(rw.UnsupportedError, match="a pad that belongs to no element"):
        gst.Pad.new("src", gst.PadDirection.SRC)
    with pytest.raises(rw.UnsupportedError, match="set_chain_function"):
        gst.ElementFactory.make("fakesink").get_static_pad("sink").set_chain_function(print)
    with pytest.raises(rw.UnsupportedError, match="Element\\(\\) on its own"):
        gst.Element()


def test_beginning_changes_nothing_and_says_the_version() -> None:
    gst = SPACES["Gst"]
    assert gst.init(["a", "b"]) == ["a", "b"]
    assert gst.init(None) == []
    assert gst.is_initialized()
    assert gst.version() == (1, 22, 0, 0)
    assert "Reelway" in gst.version_string()
