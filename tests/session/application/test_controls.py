"""`app.options`: every live option of every element, read and set from anywhere while it plays."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reelway as rw
from reelway.elements import Property
from tests.conftest import count

LONG = (
    "videotestsrc name=v is-live=true ! video/x-raw,width=160,height=120,framerate=50/1 ! "
    "videobalance name=bal ! videoflip name=flip ! textoverlay name=text text=Hi ! gamma ! "
    "identity ! queue name=q ! valve name=valve ! tee name=t t. ! queue ! videocrop name=crop ! "
    "fakesink name=a "
    "t. ! queue ! videoconvert ! x264enc tune=zerolatency ! fakesink name=b "
    "audiotestsrc name=s is-live=true ! volume name=vol ! audiopanorama ! level ! fakesink name=c"
)


@pytest.fixture(scope="module")
def app() -> Iterator[rw.Application]:
    """The long pipeline, which plays."""
    with rw.launch(LONG) as playing:
        yield playing


def property_of(app: rw.Application, name: str) -> Property:
    element, _, property = name.rpartition(".")
    return app[element].kind.find(property)


def values(property: Property) -> st.SearchStrategy[object]:
    """Values that the property takes."""
    if property.choices and not property.flags:
        return st.sampled_from([each.nick for each in property.choices])
    if property.kind is bool:
        return st.booleans()
    if property.kind is int:
        low, high = property.low or 0, property.high if property.high is not None else 1000
        return st.integers(int(max(low, 0)), int(min(high, max(low, 0) + 20)))
    if property.kind is float:
        low, high = property.low if property.low is not None else 0.0, property.high
        return st.floats(low, high if high is not None else 1.0, allow_nan=False)
    return st.just(property.default)


def test_every_live_option_can_be_read_and_described(app: rw.Application) -> None:
    names = list(app.options)
    assert len(names) == len(set(names)) == len(app.options)
    assert {"v.pattern", "vol.volume", "valve.drop", "crop.left", "text.text", "a.sync"} <= set(names)
    assert len(names) > 30
    for name in names:
        property = property_of(app, name)
        assert app.options.describe(name).startswith(f"{property.name} (")
        value = app.options[name]
        if value is not None:
            assert property.fit(value) == value, "what it gives, it takes"
    assert dict(app.options).keys() == set(names)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=count(300))
@given(data=st.data())
def test_what_is_set_is_read_and_it_goes_on_playing(app: rw.Application, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([each for each in app.options if not each.startswith(("q.", "valve."))]))
    property = property_of(app, name)
    value = data.draw(values(property))
    app.options[name] = value
    assert app.options[name] == (property.fit(value) if value is not None else app.options[name])
    del app.options[name]
    assert app.options[name] == property.default
    assert app.error is None
    assert not app.over.is_set()


def test_what_is_wrong_is_refused_and_changes_nothing(app: rw.Application) -> None:
    app.options["v.pattern"] = "ball"
    for name, value, error in [
        ("v.pattern", "bal", rw.OptionError),
        ("vol.volume", 11, rw.OptionError),
        ("vol.volume", "loud", rw.OptionError),
        ("vol.volum", 1, rw.UnknownNameError),
        ("nobody.volume", 1, rw.UnknownNameError),
        ("volume", 1, rw.UnknownNameError),
        ("v.num-buffers", 3, rw.OptionError),
    ]:
        with pytest.raises(error):
            app.options[name] = value
    assert app.options["v.pattern"] == "ball"
    assert app.options["vol.volume"] == 1.0
    assert "v.num-buffers" not in set(app.options)
    with pytest.raises(rw.UnknownNameError):
        app.options["volume"]


def test_many_threads_set_options_while_it_plays(app: rw.Application) -> None:
    patterns, wrong = ["ball", "snow", "smpte", "black"], []
    ready = threading.Barrier(8)

    def turn(number: int) -> None:
        ready.wait(20)
        try:
            for step in range(50):
                app.options["v.pattern"] = patterns[(number + step) % 4]
                app.options["vol.volume"] = step / 50
                app.options["bal.brightness"] = (number - 4) / 8
                assert app.options["v.pattern"] in patterns
        except Exception as error:  # noqa: BLE001 - told below, by the main thread
            wrong.append(error)

    threads = [threading.Thread(target=turn, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert wrong == []
    assert app.options["vol.volume"] == pytest.approx(0.98)
    passed = threading.Event()
    app["a"].pad("sink").add_probe("packet", lambda _pad, _packet: passed.set())
    assert passed.wait(20), "pictures go on"
    assert app.error is None


def test_options_of_what_comes_and_goes(app: rw.Application) -> None:
    before = set(app.options)
    branch = app.pipeline.branch("queue ! videobalance name=late ! fakesink", app["t"])
    assert "late.brightness" in app.options
    app.options["late.brightness"] = 0.5
    assert app.options["late.brightness"] == 0.5
    branch.remove()
    assert set(app.options) == before
    with pytest.raises(rw.UnknownNameError):
        app.options["late.brightness"]


def test_a_text_changes_in_the_picture_though_several_properties_make_it() -> None:
    text = "videotestsrc pattern=black ! video/x-raw,format=GRAY8 ! textoverlay name=text ! appsink name=out"
    with rw.launch(text) as app:
        sink = app["out"].filter
        assert isinstance(sink, rw.AppSink)

        def brightest() -> int:
            packet = sink.pull(20)
            assert packet is not None
            return int(packet.planes()[0].max())

        assert max(brightest() for _ in range(3)) < 32
        app["text"].set("text", "Hello")
        assert any(brightest() > 200 for _ in range(100))
        app.options["text.silent"] = True
        assert any(brightest() < 32 for _ in range(100))
