"""GObject: properties, signals, notifications, bindings, as programs declare and use them."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import pytest

from reelway.compat.gst import gobject as GObject


class Player(GObject.Object):
    __gtype_name__ = "TestPlayer"
    __gsignals__ = {
        "asked": (GObject.SignalFlags.RUN_LAST, int, (str,)),
        "stopped": (GObject.SignalFlags.RUN_LAST, bool, (), GObject.signal_accumulator_true_handled),
    }
    level = GObject.Property(type=int, default=3, minimum=0, maximum=9, nick="lv", blurb="how loud")
    title = GObject.Property(type=str)
    changed = GObject.Signal()

    def __init__(self, **properties: Any) -> None:
        super().__init__(**properties)
        self._rate = 1.5
        self.calls: list[Any] = []

    @GObject.Property(type=float)
    def rate(self) -> float:
        """Speed."""
        return self._rate

    @rate.setter
    def rate(self, value: float) -> None:
        self._rate = value

    @GObject.Property(type=int)
    def fixed(self) -> int:
        return 7

    @GObject.Signal(arg_types=(int,))
    def counted(self, number: int) -> None:
        self.calls.append(("class", number))

    def do_asked(self, question: str) -> int:
        self.calls.append(("class", question))
        return 5


class Legacy(GObject.GObject):
    __gproperties__ = {
        "level": (int, "level", "blurb", 0, 100, 50, GObject.ParamFlags.READWRITE),
        "file-name": (str, "file", "blurb", "x", GObject.ParamFlags.READWRITE),
        "ready": (bool, "ready", "blurb", True, GObject.ParamFlags.READABLE),
    }

    def __init__(self) -> None:
        GObject.GObject.__init__(self)
        self.held: dict[str, Any] = {"level": 50, "ready": True}

    def do_get_property(self, prop: Any) -> Any:
        return self.held.get(prop.name)

    def do_set_property(self, prop: Any, value: Any) -> None:
        self.held[prop.name] = value


def test_properties_have_types_defaults_and_descriptions() -> None:
    player = Player(level=4)
    assert (player.level, player.props.level, player.get_property("level")) == (4, 4, 4)
    assert (player.title, player.rate, player.fixed) == ("", 1.5, 7)
    spec = player.find_property("level")
    assert (spec.name, spec.nick, spec.blurb) == ("level", "lv", "how loud")
    assert (spec.default_value, spec.minimum, spec.maximum) == (3, 0, 9)
    assert spec.value_type == GObject.TYPE_INT
    assert repr(spec) == "<GParamInt 'level'>"
    assert {each.name for each in player.list_properties()} == {"level", "title", "rate", "fixed"}


def test_properties_are_set_in_all_ways() -> None:
    player = Player()
    player.level = 5
    player.props.level += 1
    player.set_property("rate", 2)
    player.set_properties(title="a")
    assert player.get_properties("level", "rate", "title") == (6, 2.0, "a")
    assert isinstance(player.rate, float)


def test_the_older_way_of_declaring() -> None:
    legacy = Legacy()
    legacy.set_property("level", 7)
    legacy.props.file_name = "y"
    assert legacy.held == {"level": 7, "ready": True, "file-name": "y"}
    assert legacy.get_property("file_name") == "y"
    with pytest.raises(TypeError, match="ready.*not writable"):
        legacy.set_property("ready", False)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("level", "x", "could not convert 'x' to type 'gint' when setting property 'TestPlayer.level'"),
        ("fixed", 1, "'fixed' is not writable"),
        ("levle", 1, "does not have property `levle'.*did you mean 'level'"),
        ("title", 3, "could not convert 3"),
    ],
)
def test_what_does_not_fit_is_a_type_error(name: str, value: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Player().set_property(name, value)


def test_a_number_out_of_range_is_a_warning_and_changes_nothing() -> None:
    player = Player()
    with pytest.warns(Warning, match="out of range"):
        player.level = 99
    assert player.level == 3


def test_notifications_come_for_the_property_that_was_asked_for() -> None:
    player, seen = Player(), []
    handler = player.connect("notify::level", lambda obj, spec, word: seen.append((spec.name, word)), "w")
    player.connect("notify", lambda obj, spec: seen.append(spec.name))
    player.level = 4
    player.title = "t"
    with player.handler_block(handler):
        player.level = 5
    player.disconnect(handler)
    player.level = 6
    assert seen == [("level", "w"), "level", "title", "level", "level"]


def test_frozen_notifications_come_once() -> None:
    player, seen = Player(), []
    player.connect("notify::level", lambda obj, spec: seen.append(obj.level))
    with player.freeze_notify():
        player.level = 4
        player.level = 5
        assert seen == []
    assert seen == [5]


def test_signals_call_handlers_and_the_class_in_order() -> None:
    player = Player()
    player.connect("asked", lambda obj, text, more: obj.calls.append((text, more)) or 3, "more")
    player.connect_after("asked", lambda obj, text: obj.calls.append("after") or 9)
    assert player.emit("asked", "why") == 9
    assert player.calls == [("why", "more"), ("class", "why"), "after"]


def test_declared_signals_are_attributes() -> None:
    player, seen = Player(), []
    player.counted.connect(lambda obj, number: seen.append(number))
    player.counted.emit(3)
    player.emit("counted", 4)
    player.changed.connect(lambda obj: seen.append("changed"))
    player.changed.emit()
    assert seen == [3, 4, "changed"]
    assert player.calls == [("class", 3), ("class", 4)]


def test_an_accumulator_ends_an_emission() -> None:
    player, seen = Player(), []
    for number in range(3):
        player.connect("stopped", lambda obj, n: seen.append(n) or n == 1, number)
    assert player.emit("stopped") is True
    assert seen == [0, 1]


def test_a_handler_ends_an_emission() -> None:
    player, seen = Player(), []
    player.connect("changed", lambda obj: (seen.append(1), obj.stop_emission_by_name("changed")))
    player.connect("changed", lambda obj: seen.append(2))
    player.emit("changed")
    player.emit("changed")
    assert seen == [1, 1]


def test_what_a_handler_raises_is_shown_and_the_next_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _frames: shown.append(error))
    player, seen = Player(), []
    player.connect("changed", lambda obj: 1 / 0)
    player.connect("changed", lambda obj: seen.append(1))
    player.emit("changed")
    assert seen == [1]
    assert isinstance(shown[0], ZeroDivisionError)


def test_mistakes_with_signals_are_type_errors() -> None:
    player = Player()
    with pytest.raises(TypeError, match="unknown signal name: changd.*did you mean 'changed'"):
        player.connect("changd", print)
    with pytest.raises(TypeError, match="1 parameters needed for signal asked; 0 given"):
        player.emit("asked")
    with pytest.raises(TypeError, match="doesn't support property `volume'"):
        Player(volume=1)


def test_handlers_are_removed_by_function() -> None:
    player, seen = Player(), []

    def handler(obj: Any) -> None:
        seen.append(1)

    number = player.connect("changed", handler)
    assert player.handler_is_connected(number)
    player.disconnect_by_func(handler)
    assert not player.handler_is_connected(number)
    player.emit("changed")
    assert seen == []
    with pytest.raises(TypeError, match="nothing connected"):
        player.disconnect_by_func(handler)


def test_bound_properties_follow_each_other() -> None:
    player, legacy = Player(), Legacy()
    flags = GObject.BindingFlags.SYNC_CREATE | GObject.BindingFlags.BIDIRECTIONAL
    binding = player.bind_property("level", legacy, "level", flags)
    assert legacy.props.level == 3
    player.level = 8
    assert legacy.props.level == 8
    legacy.props.level = 1
    assert player.level == 1
    binding.unbind()
    player.level = 9
    assert legacy.props.level == 1


def test_heirs_have_what_their_class_has() -> None:
    class Heir(Player):
        extra = GObject.Property(type=bool, default=False)

    heir = Heir(extra=True, level=1)
    assert (heir.extra, heir.level) == (True, 1)
    assert heir.emit("asked", "x") == 5
    assert isinstance(heir, GObject.GObject)
    assert Heir.__gtype__.is_a(Player)
    assert GObject.type_from_name("TestPlayer").pytype is Player
    assert GObject.type_name(Player) == "TestPlayer"


def test_the_old_names_of_glib_are_there_without_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GObject.threads_init()
        loop = GObject.MainLoop()
        GObject.timeout_add(1, loop.quit)
        loop.run()
    assert GObject.PARAM_READWRITE == GObject.ParamFlags.READWRITE == 3
    assert GObject.SIGNAL_RUN_FIRST == 1


def test_flags_and_enumerations_look_as_gis() -> None:
    both = GObject.ParamFlags.READABLE | GObject.ParamFlags.CONSTRUCT
    assert repr(both) == "<flags G_PARAM_READABLE | G_PARAM_CONSTRUCT of type GObject.ParamFlags>"
    assert both & GObject.ParamFlags.READABLE
    assert not both & GObject.ParamFlags.WRITABLE
    assert int(both ^ GObject.ParamFlags.READABLE) == 4
    assert both.value_nicks == ["readable", "construct"]
