"""selector, outputselector, funnel: which packets pass, where they lie, and that nothing is stuck."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

import reelway as rw
from reelway.filters.selectors import Funnel, OutputSelector, Selector
from reelway.testing.conformance import check_filter
from reelway.testing.parts import PROPERTIES, Collect, Feed, numbered
from tests.filters.raw import Late


def tagged(tag: bytes, count: int = 50, step: int = 40, sap_every: int = 1) -> list[rw.Packet]:
    """Packets that say where they are from."""
    return [rw.Packet(tag, n * step, n * step, step, 1 if n % sap_every == 0 else 0) for n in range(count)]


def tags(sink: Collect) -> str:
    return b"".join(bytes(packet.data) for packet in sink.only.packets).decode()


def switching(selector: Selector, at: int, to: int) -> Any:
    """A function that makes `selector` switch when the packet at `at` ticks passes."""

    def look(packet: rw.Packet) -> rw.Packet:
        if packet.dts == at:
            selector.update("active", to)
        return packet

    return look


def through(selector: rw.Filter, *sources: rw.Filter, look: Any = None) -> Collect:
    sink = Collect()
    with rw.Session(limits=rw.Limits(packets=2)) as session:
        session.add(selector)
        for number, source in enumerate(sources):
            session.add(source)
            if look is not None and number == 0:
                source >> session.load("call", function=look) >> selector
            else:
                source >> selector
        selector >> session.add(sink)
        session.run()
    return sink


@pytest.mark.parametrize("make", [Selector, Funnel])
def test_the_contract_is_kept(make: type[rw.Filter]) -> None:
    check_filter(make, numbered(20), max_held=0)


def test_an_output_selector_keeps_the_contract() -> None:
    check_filter(lambda: OutputSelector(count=1), numbered(20), max_held=0)


def test_only_the_active_input_passes() -> None:
    selector = Selector(active=1)
    sink = through(selector, Feed(tagged(b"a")), Feed(tagged(b"b")))
    assert tags(sink) == "b" * 50
    assert selector.dropped == 50
    assert sink.only.ended


def test_it_switches_between_two_packets_and_goes_on_in_time() -> None:
    selector = Selector()
    sink = through(selector, Feed(tagged(b"a")), Feed(tagged(b"b")), look=switching(selector, 20 * 40, 1))
    passed = tags(sink)
    assert passed == "a" * passed.count("a") + "b" * passed.count("b")
    assert 18 <= passed.count("a") <= 22
    times = [packet.dts or 0 for packet in sink.only.packets]
    assert times == sorted(times)
    assert {late - early for early, late in pairwise(times)} <= {0, 40}
    assert len(passed) in (50, 51)
    joined = sink.only.packets[passed.count("a")]
    assert joined.discontinuity


def test_another_input_comes_in_at_an_access_point() -> None:
    selector = Selector()
    sink = through(
        selector,
        Feed(tagged(b"a")),
        Feed(tagged(b"b", sap_every=10)),
        look=switching(selector, 12 * 40, 1),
    )
    first = next(packet for packet in sink.only.packets if bytes(packet.data) == b"b")
    assert first.sap == 1
    assert first.dts == 20 * 40


def test_switched_to_an_input_that_is_over_it_ends() -> None:
    selector = Selector(sync=False)
    sink = through(selector, Feed(tagged(b"a")), Feed(tagged(b"b", 3)), look=switching(selector, 30 * 40, 1))
    assert set(tags(sink)) == {"a"}
    assert sink.only.ended


def test_properties_follow_the_input_and_ticks_those_of_the_first() -> None:
    selector = Selector()
    other = {**PROPERTIES, "Timescale": 500, "Width": 640}
    sink = through(
        selector,
        Feed(tagged(b"a"), properties={**PROPERTIES, "Width": 320}),
        Feed(tagged(b"b", step=20), properties=other),
        look=switching(selector, 20 * 40, 1),
    )
    configured = [entry[1] for entry in sink.only.log if entry[0] == "configure"]
    assert [each["Width"] for each in configured] == [320, 640]
    assert {each["Timescale"] for each in configured} == {1000}
    assert sink.only.packets[-1].dts == 49 * 40
    assert sink.only.packets[-1].duration == 40


def test_an_input_that_lies_elsewhere_keeps_its_place_on_the_running_time() -> None:
    selector = Selector(active=1)
    late = Late(2.0, tagged(b"b", 5))
    sink = through(selector, Feed(tagged(b"a")), late)
    assert tags(sink) == "b" * 5
    funnel = through(Funnel(), Feed(tagged(b"a", 2)), Late(2.0, tagged(b"b", 2)))
    times = {bytes(packet.data): packet.dts for packet in reversed(funnel.only.packets)}
    assert times == {b"a": 0, b"b": 2000}


def test_a_funnel_passes_all_of_all_inputs() -> None:
    sink = through(Funnel(), Feed(tagged(b"a", 7)), Feed(tagged(b"b", 9)), Feed(tagged(b"c", 3)))
    passed = tags(sink)
    assert {tag: passed.count(tag) for tag in "abc"} == {"a": 7, "b": 9, "c": 3}
    assert sink.only.ended


def outputs(selector: OutputSelector, look: Any = None) -> dict[str, list[int]]:
    """The numbers that came on each output."""
    sinks = [Collect() for _ in range(selector.count)]
    with rw.Session(limits=rw.Limits(packets=2)) as session:
        session.add(selector)
        session.add(Feed(numbered(50))) >> session.load("call", function=look or (lambda p: p)) >> selector
        for number, sink in enumerate(sinks):
            selector.select(f"#Output={number}") >> session.add(sink)
        session.run()
    assert all(seen.ended for sink in sinks for seen in sink.seen.values())
    return {name: seen.numbers for sink in sinks for name, seen in sink.seen.items()}


def test_one_output_gets_everything_and_the_others_end_too() -> None:
    assert outputs(OutputSelector(count=3, active=1)) == {
        "out_0": [],
        "out_1": list(range(50)),
        "out_2": [],
    }


@pytest.mark.parametrize("resend", [False, True])
def test_an_output_is_chosen_while_it_runs(resend: bool) -> None:
    selector = OutputSelector(resend=resend)

    def look(packet: rw.Packet) -> rw.Packet:
        if packet.dts == 20 * 40:
            selector.update("active", 1)
        return packet

    found = outputs(selector, look)
    first, second = found["out_0"], found["out_1"]
    assert first == list(range(len(first)))
    assert 18 <= len(first) <= 21
    again = [first[-1]] if resend else []
    assert second == [*again, *range(len(first), 50)]


def test_the_rate_of_a_selected_stream_is_known_to_who_plans() -> None:
    plan = Selector().plan({"StreamType": "Visual", "FPS": Fraction(25)})
    assert plan == [{"StreamType": "Visual", "FPS": Fraction(25)}]
