"""Declared options: types from annotations, checks where a value is said, help lines."""

from __future__ import annotations

import enum
from fractions import Fraction
from typing import Literal

import pytest

from reelway.errors import OptionError, StateError, UnknownNameError, UnknownOptionError
from reelway.graph.option import (
    REQUIRED,
    Option,
    Seconds,
    Size,
    apply,
    declared,
    describe,
    option,
    require,
    values,
)


class Speed(enum.Enum):
    slow = 1
    fast = 2


class Base:
    url: str = option(help="what to read")
    strength: float = option(1.0, low=0.0, high=1.0, live=True, help="0 keeps, 1 inverts", aliases=["s"])


class Invert(Base):
    size: Size = option("hd")
    start: Seconds | None = option(None)
    rates: list[int] = option([1, 2], low=0)
    speed: Speed = option(Speed.slow)
    mode: Literal["a", "b"] = option("a")
    rate: Fraction = option(Fraction(25))
    gop: int = option(100, unit="ms", low=1)
    pattern = option("ball", choices=["ball", "snow"])
    level = option(2, choices={"low": 1, "high": 2})
    roles: list[str] = option([], choices=["main", "sign"])
    anything: object = option(None)
    guessed = option(3)


def test_the_class_shows_the_declaration_and_the_instance_the_value():
    assert isinstance(Invert.strength, Option)
    assert (Invert.strength.name, Invert.strength.owner) == ("strength", Base)
    assert Invert().strength == 1.0


def test_kinds_come_from_annotations_else_from_the_default():
    kinds = {name: item.kind for name, item in declared(Invert).items()}
    assert kinds["size"] is Size
    assert kinds["start"] == Seconds | None
    assert kinds["rates"] == list[int]
    assert kinds["speed"] is Speed
    assert kinds["mode"] == Literal["a", "b"]
    assert kinds["guessed"] is int
    assert kinds["pattern"] is str


def test_a_type_of_a_functions_scope_falls_back_to_the_default():
    class Hidden(enum.Enum):
        x = 1

    class Local:
        hidden: Hidden = option(Hidden.x)
        also: Hidden | None = option(None)

    assert Local.hidden.kind is Hidden
    assert Local.also.kind is str


def test_a_given_kind_wins():
    class Local:
        number: object = option("7", kind=int)

    assert Local().number == 7


def test_defaults_may_be_text():
    assert Invert().size == Size(1920, 1080)


def test_a_default_list_is_not_shared():
    one, other = Invert(), Invert()
    one.rates.append(3)
    assert one.rates == [1, 2, 3]
    assert other.rates == [1, 2]


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("strength", "0.5", 0.5),
        ("strength", 1, 1.0),
        ("size", "640x360", Size(640, 360)),
        ("size", (640, 360), Size(640, 360)),
        ("start", "T00:01:02.5", 62.5),
        ("start", None, None),
        ("rates", "3,4", [3, 4]),
        ("speed", "fast", Speed.fast),
        ("speed", Speed.fast, Speed.fast),
        ("mode", "b", "b"),
        ("rate", "30000/1001", Fraction(30000, 1001)),
        ("gop", "2s", 2000),
        ("pattern", "SNOW", "snow"),
        ("level", "low", 1),
        ("level", 2, 2),
        ("roles", "main,Sign", ["main", "sign"]),
        ("roles", ["sign"], ["sign"]),
        ("anything", print, print),
    ],
)
def test_values_and_texts_that_fit(name, given, value):
    invert = Invert()
    setattr(invert, name, given)
    assert getattr(invert, name) == value


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("strength", "much", "Invert.strength: 'much' is not a number"),
        ("strength", 2, "Invert.strength: 2.0 is out of range, 0.0 to 1.0 is allowed"),
        ("strength", float("nan"), "Invert.strength: nan is out of range, 0.0 to 1.0 is allowed"),
        ("strength", True, "Invert.strength: True is not a number"),
        ("strength", None, "Invert.strength: None is not a number"),
        ("rates", "1,-1", "Invert.rates: -1 is out of range, at least 0 is allowed"),
        ("gop", 0, "Invert.gop: 0 is out of range, at least 1 ms is allowed"),
        ("speed", "warp", "Invert.speed: 'warp' is not one of slow|fast"),
        ("pattern", "snwo", "Invert.pattern: 'snwo' is not one of ball, snow"),
        ("level", 7, "Invert.level: 7 is not one of low, high"),
        ("roles", "main,x", "Invert.roles: 'x' is not one of main, sign"),
        ("roles", 3, "Invert.roles: 3 is not one of main, sign"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(name, given, says):
    invert = Invert()
    before = getattr(invert, name)
    with pytest.raises(OptionError) as caught:
        setattr(invert, name, given)
    assert str(caught.value) == says
    assert getattr(invert, name) == before


def test_the_hint_is_the_nearest_choice_or_the_help_line():
    with pytest.raises(OptionError) as caught:
        Invert().pattern = "snwo"
    assert caught.value.hint == "did you mean 'snow'?"
    with pytest.raises(OptionError) as caught:
        Invert().size = "big"
    assert caught.value.hint == "size (size, default hd)"


def test_a_required_option_says_that_it_is_missing():
    invert = Invert()
    with pytest.raises(OptionError, match=r"Invert\.url must be given"):
        _ = invert.url
    with pytest.raises(OptionError, match="Invert needs url"):
        require(invert)
    invert.url = "film.mp4"
    require(invert)
    assert Invert.url.default is REQUIRED


def test_declared_in_order_bases_first_and_overridden_in_place():
    class Calm(Invert):
        strength: float = option(0.5, high=0.6)
        gop = 12

    names = list(declared(Calm))
    assert names[:3] == ["url", "strength", "size"]
    assert "gop" not in names
    assert declared(Calm)["strength"].default == 0.5
    assert Calm().gop == 12


def test_an_overriding_option_keeps_the_inherited_annotation():
    class Calm(Base):
        strength = option(1)

    assert Calm.strength.kind is float


def test_apply_sets_many_by_name_or_alias():
    invert = Invert()
    apply(invert, {"s": "0.25", "gop": 5})
    assert (invert.strength, invert.gop) == (0.25, 5)


def test_apply_is_all_or_nothing():
    invert = Invert()
    with pytest.raises(OptionError, match="out of range"):
        apply(invert, {"gop": 5, "strength": 9})
    assert invert.gop == 100


def test_apply_names_the_near_ones():
    with pytest.raises(UnknownOptionError) as caught:
        apply(Invert(), {"strenght": 1})
    assert str(caught.value) == "Invert has no option 'strenght'"
    assert caught.value.near[0] == "strength"
    assert caught.value.hint == "did you mean 'strength' or 'start'?"
    assert isinstance(caught.value, UnknownNameError)


def test_apply_lists_what_there_is_when_nothing_is_near():
    with pytest.raises(UnknownOptionError) as caught:
        apply(Base(), {"xyz": 1})
    assert caught.value.hint == "Base has url, strength"


def test_only_live_options_change_while_running():
    invert = Invert()
    apply(invert, {"strength": 0.5}, running=True)
    with pytest.raises(StateError, match=r"Invert\.gop cannot change while the session runs"):
        apply(invert, {"gop": 5}, running=True)
    assert (invert.strength, invert.gop) == (0.5, 100)


def test_values_leaves_out_what_was_not_given():
    base = Base()
    assert values(base) == {"strength": 1.0}
    base.url = "x"
    assert values(base) == {"url": "x", "strength": 1.0}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("url", "url (text, required): what to read"),
        ("strength", "strength (float, 0.0 to 1.0, default 1.0, live): 0 keeps, 1 inverts"),
        ("size", "size (size, default hd)"),
        ("start", "start (seconds)"),
        ("rates", "rates (list of int, at least 0, default 1,2)"),
        ("speed", "speed (slow|fast, default slow)"),
        ("gop", "gop (int, at least 1 ms, default 100)"),
        ("pattern", "pattern (ball|snow, default ball)"),
    ],
)
def test_help_lines(name, line):
    assert describe(declared(Invert)[name]) == line
