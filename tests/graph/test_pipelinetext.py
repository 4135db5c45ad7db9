"""Pipeline texts: real ones and their graphs, wrong ones and their errors, printing, what the graph tells."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.errors import PipelineError
from reelway.graph.pipelinetext import (
    Bin,
    Element,
    End,
    Link,
    PipelineText,
    Setting,
    join,
    parse,
    quoted,
    unquoted,
)
from reelway.graph.placeholders import fill, names
from tests.pipelines import TEXTS, WRONG, compact


def filled(text: str) -> str:
    """`text` with what texts.toml says of its placeholders."""
    values = {"film": "/FILM.mp4", "out": "/OUT"}
    asked = [name for name, default in names(text).items() if default is None]
    return fill(text, {name: values.get(name, f"rtsp://{name}") for name in asked})


@pytest.mark.parametrize("entry", TEXTS, ids=lambda entry: entry.name)
def test_a_real_text_says_its_graph(entry):
    parsed = parse(filled(entry.text))
    assert compact(parsed) == entry.graph
    assert parse(str(parsed)) == parsed


def test_there_are_enough_real_texts():
    assert len(TEXTS) >= 60
    assert sum(entry.runs for entry in TEXTS) >= 40
    assert sum(entry.gstreamer for entry in TEXTS) >= 25
    assert len({entry.text for entry in TEXTS}) == len(TEXTS)


@pytest.mark.parametrize("entry", [each for each in WRONG if each.about == "language"], ids=lambda e: e.name)
def test_a_wrong_text_is_refused_with_a_caret_and_a_way_out(entry):
    with pytest.raises(PipelineError) as caught:
        parse(entry.text)
    error = caught.value
    assert str(error) == entry.error
    assert (error.hint or "") == entry.hint
    line, marks = error.caret.split("\n")
    assert line == entry.text
    start = marks.index("^")
    assert marks.strip() == "^" * len(entry.under)
    assert line[start : start + len(entry.under)] == entry.under
    assert error.column == start + 1


# The graph


def test_offsets_point_into_the_text():
    text = "videotestsrc pattern = ball name=v !\n video/x-raw,width=64 ! tee name='t' t.src_1 ! fakesink"
    parsed = parse(text)
    source, caps, tee, sink = parsed.nodes
    assert [text[each.at :].split(maxsplit=1)[0] for each in (source, caps, tee, sink)] == [
        "videotestsrc", "video/x-raw,width=64", "tee", "fakesink",
    ]  # fmt: skip
    pattern = source.settings[0]
    assert text[pattern.at :].startswith("pattern =")
    assert text[pattern.value_at :].startswith("ball")
    assert text[tee.name_at] == "t"
    assert [text[link.at] for link in parsed.links] == ["!"] * 3
    assert text[parsed.links[2].source.at :].startswith("t.src_1")
    assert str(parsed.error("no such pad", parsed.links[2].source.at)).startswith("line 2, column 38: ")


def test_equality_ignores_the_text_and_blanks():
    one, other = parse("a  x = 1 !   b # said"), parse("a x=1 ! b")
    assert one == other
    assert hash(one) == hash(other)
    assert one != parse("a x=2 ! b")
    assert one != parse("a x=1 b")


def test_the_graph_is_made_of_plain_values():
    assert parse("a name=n x=1 ! b ( c )") == PipelineText(
        (
            Element("a", "n", (Setting("x", "1"),)),
            Element("b"),
            Bin("bin", items=(Element("c"),)),
        ),
        (Link(End(0), End(1)),),
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("ball", "ball"),
        ('"two words"', "two words"),
        ("'two words'", "two words"),
        (r"two\ words", "two words"),
        (r'"a \"quoted\" word"', 'a "quoted" word'),
        (r"C:\\films", r"C:\films"),
        ("it's", "it's"),
        ('""', ""),
        ("#ff0000", "#ff0000"),
        ("a=b", "a=b"),
        ("rtsp://h/x?a=1&b=2#c", "rtsp://h/x?a=1&b=2#c"),
        ("video/x-raw,format=I420", "video/x-raw,format=I420"),
        ("10!", "10!"),
        ("(int)5", "(int)5"),
        ('"line\nbreak"', "line\nbreak"),
        ("'{ I420, NV12 }'", "{ I420, NV12 }"),
    ],
)
def test_values(written, value):
    element = parse(f"element property={written} ! other").nodes[0]
    assert element.settings == (Setting("property", value),)


def test_a_backslash_at_the_end_of_a_line_is_a_blank():
    assert parse("a x=1\\\n ! b y=2 \\ \n z=3 \\\n") == parse("a x=1 ! b y=2 z=3")


def test_what_editors_leave_in_files_is_blank():
    assert parse("\ufeffa x=1 \\\r\n! b\r\n# c\r\n") == parse("a x=1 ! b")


def test_caps_become_an_element_in_one_spelling():
    written = [
        "a ! video/x-raw,width=640,framerate=30/1 ! b",
        "a ! video/x-raw, width = (int)640, framerate = (fraction)30/1 ! b",
        "a ! 'video/x-raw, width=640, framerate=30/1' ! b",
        "a ! video/x-raw,\\\n width=640,\n framerate=30/1 ! b",
    ]
    assert len({parse(text) for text in written}) == 1
    assert parse(written[0]).nodes[1] == Element(
        "capsfilter", settings=(Setting("caps", "video/x-raw,width=640,framerate=30/1"),)
    )


def test_a_url_is_the_element_that_reads_or_writes_it():
    parsed = parse("/films/a.mp4 ! decodebin ! file:///out.raw")
    assert [(node.kind, node.settings[0].value) for node in parsed.nodes if node.settings] == [
        ("filesrc", "/films/a.mp4"),
        ("filesink", "/out.raw"),
    ]
    assert parse("udp://239.0.0.1:1234 ! d").nodes[0] == Element(
        "udpsrc", settings=(Setting("uri", "udp://239.0.0.1:1234"),)
    )


def test_links_to_bins_reach_what_is_in_them():
    parsed = parse("a ! ( b ! ( c ! d ) ) ! e")
    assert [(link.source.element, link.sink.element) for link in parsed.links] == [
        (0, 1), (2, 3), (4, 5), (1, 6),
    ]  # fmt: skip
    assert [(link.source.element, link.sink.element) for link in parsed.joined] == [
        (0, 2), (2, 4), (4, 5), (5, 6),
    ]  # fmt: skip


def test_a_bin_without_a_free_element_is_told():
    parsed = parse("( a name=x ) ! b  x. ! c")
    with pytest.raises(
        PipelineError, match=r"^line 1, column 1: no element in the bin is free for a link out"
    ):
        parsed.joined  # noqa: B018 - the property raises


def test_a_reference_goes_to_an_element_or_a_bin_before_or_behind():
    parsed = parse("x. ! b. ( name=b c ) a name=x")
    assert [(link.source.element, link.sink.element) for link in parsed.links] == [(2, 0)]
    assert str(parsed) == "x. ! ( name=b c ) a name=x"


def test_what_a_text_cannot_say_is_not_printed():
    with pytest.raises(ValueError, match="needs a name to be linked"):
        str(PipelineText((Element("a"), Element("b"), Element("c")), (Link(End(0), End(2)),)))


# Errors that others raise


def test_an_error_shows_its_place_in_a_text_of_many_lines():
    error = PipelineError(
        "wrong", text="first\n\tsecond here\nthird", at=14, length=4, near=["there"], hint="Fix."
    )
    assert str(error) == "line 2, column 9: wrong"
    assert error.reason == "wrong"
    assert error.caret == "\tsecond here\n\t       ^^^^"
    assert error.hint == "did you mean 'there'? Fix."
    assert error.near == ["there"]


def test_an_error_shows_a_part_of_a_long_line():
    text = "x" * 500 + "HERE" + "y" * 500
    line, marks = PipelineError("wrong", text=text, at=500, length=4).caret.split("\n")
    assert len(line) <= 110
    assert line[marks.index("^") : marks.index("^") + 4] == "HERE"
    assert line.startswith("... x")
    assert line.endswith("y ...")


def test_an_error_hides_passwords_and_still_points_right():
    text = "rtspsrc location=rtsp://me:q7xsecret@cam/x ! nonsense"
    error = PipelineError.unknown("element", "nonsense", ["nonesuch"], text=text, at=text.index("nonsense"))
    assert "secret" not in error.caret
    line, marks = error.caret.split("\n")
    assert line[marks.index("^") :] == "nonsense"
    assert str(error) == "line 1, column 46: no element is named 'nonsense'"
    assert error.hint == "did you mean 'nonesuch'?"


def test_an_error_of_a_part_is_one_of_the_whole():
    error = PipelineError("wrong", text="b=c", at=2, hint="mend it").within("a b=c", 2)
    assert (str(error), error.caret, error.hint) == ("line 1, column 5: wrong", "a b=c\n    ^", "mend it")


def test_an_error_without_a_text_has_no_place():
    error = PipelineError("wrong")
    assert (str(error), error.caret) == ("wrong", "")
    again = pickle.loads(pickle.dumps(PipelineError("wrong", text="a\nb", at=2)))
    assert (str(again), again.caret) == ("line 2, column 1: wrong", "b\n^")


# Texts from a shell


def test_words_of_a_shell_make_one_text():
    assert join(["videotestsrc ! fakesink"]) == "videotestsrc ! fakesink"
    parsed = parse(join(["filesrc", "location=my film.mp4", "!", "video/x-raw, width=640", "!", "fakesink"]))
    assert parsed.nodes[0].settings[0].value == "my film.mp4"
    assert parsed.nodes[1].settings[0].value == "video/x-raw,width=640"
    assert len(parsed.links) == 2
    text = parse(join(["textoverlay", 'text="a b"', "!", "fakesink"])).nodes[0]
    assert text.settings[0].value == "a b"


# Any graph


NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_\-%:]{0,6}", fullmatch=True)
VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.text(" \"'\\!#(){}=,a\n", max_size=8),
)
CAPS = st.sampled_from(
    ["video/x-raw", "video/x-raw(memory:NVMM),width=[ 1, 8 ]", "image/jpeg;image/png,a={ 1, x }"]
)


@st.composite
def texts(draw, depth=2, prefix="n"):
    """A text with elements, properties, bins and links; references to elements of the same level."""
    words: list[str] = []
    named: list[str] = []
    linked = False
    for number in range(draw(st.integers(1, 5))):
        name = f"{prefix}{number}"
        settings = [f"{draw(NAMES)}x={quoted(draw(VALUES))}" for _ in range(draw(st.integers(0, 2)))]
        if draw(st.booleans()):
            settings.insert(0, f"name={name}")
            named.append(name)
        kind = draw(st.integers(0, 5))
        if linked and draw(st.booleans()):
            words.append(f".s{name}")
        if kind == 0 and depth:
            words += [draw(st.sampled_from(["(", "bin.(", "pipe.("])), *settings]
            words += [draw(texts(depth - 1, f"{name}_")), ")"]
        elif kind == 1:
            if f"name={name}" in settings:
                named.remove(name)
            words.append(draw(CAPS))
        else:
            words += [draw(NAMES), *settings]
        if draw(st.booleans()):
            words.append(f".o{name}")
            linked = True
            words.append("!")
        else:
            linked = draw(st.booleans())
            words += ["!"] if linked else []
    if linked:
        words.append("end")
    for _ in range(draw(st.integers(0, 2)) if named else 0):
        source, sink = draw(st.sampled_from(named)), draw(st.sampled_from(named))
        place = draw(st.sampled_from([0, len(words)]))
        words.insert(place, f"{source}. ! {sink}.")
        if draw(st.booleans()):
            words.insert(place, f"{source}. ! new")
    return draw(st.sampled_from([" ", "\n", " \\\n", "  # said\n"])).join(words)


@given(texts())
def test_parse_print_parse_gives_the_same_graph(text):
    parsed = parse(text)
    printed = str(parsed)
    assert parse(printed) == parsed
    assert str(parse(printed)) == printed


@given(VALUES)
def test_any_value_can_be_quoted(value):
    assert unquoted(quoted(value)) == value
    assert parse(f"a x={quoted(value)} ! b").nodes[0].settings[0].value == value


@given(st.text(max_size=30) | st.text("ab!.,(){}=\"' /\\#\n", max_size=30))
def test_any_text_is_a_graph_or_a_pipeline_error(text):
    told = ""
    try:
        parsed = parse(text)
        assert parse(str(parsed)) == parsed
    except PipelineError as error:
        told = f"{error}\n{error.caret}"
    assert not told or len(told.splitlines()) == (3 if text else 1)


def test_a_long_text():
    text = " ".join(f"videotestsrc name=v{n} ! video/x-raw,width=64 ! queue ! fakesink" for n in range(250))
    assert len(parse(text).nodes) == 1000


def test_lark_is_loaded_by_who_parses_only():
    program = (
        "import sys, reelway, reelway.graph.pipelinetext as t; assert 'lark' not in sys.modules; "
        "t.parse('a'); assert 'lark' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_every_element_that_a_url_stands_for_is_there() -> None:
    from reelway import elements
    from reelway.graph.pipelineparse import _LOCATIONS

    for scheme, ends in _LOCATIONS.items():
        for end in ends:
            if end is not None:
                kind = elements.find(end[0])
                assert kind.role != "missing", scheme
                assert kind.property(end[1]) is not None, scheme
