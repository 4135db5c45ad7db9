"""Filter strings in GPAC's syntax: taken apart, put together, URLs kept whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.errors import OptionError
from reelway.graph.optiontext import (
    BUILTIN_OPTIONS,
    FilterText,
    Separators,
    format_filter_text,
    parse_filter_text,
    split_url,
)


def parsed(text, **named):
    parts = parse_filter_text(text, **named)
    return parts.name, list(parts.options), list(parts.properties)


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("inspect", "inspect", []),
        ("inspect:", "inspect", []),
        ("reframer:rt=on:saps=1", "reframer", [("rt", "on"), ("saps", "1")]),
        ("f:flag:!other", "f", [("flag", None), ("other", "false")]),
        ("f:empty=:b=1", "f", [("empty", ""), ("b", "1")]),
        ("f:expr=a=b", "f", [("expr", "a=b")]),
        # the examples of GPAC's documentation on escaping
        ("f:a=foo:b=bar", "f", [("a", "foo"), ("b", "bar")]),
        ("f::a=foo:b=bar", "f", [("a", "foo:b=bar")]),
        ("f:a=foo::b=bar:c::d=fun", "f", [("a", "foo"), ("b", "bar:c"), ("d", "fun")]),
        (
            "f::opt1=UDP://IP:PORT/:someopt=VAL::opt2=VAL2",
            "f",
            [("opt1", "UDP://IP:PORT/:someopt=VAL"), ("opt2", "VAL2")],
        ),
        ("f:ARG=http://foo/bar?yes:gpac:opt=VAL", "f", [("ARG", "http://foo/bar?yes"), ("opt", "VAL")]),
        (r"f:a=x\:y:b=1", "f", [("a", "x:y"), ("b", "1")]),
        (r"f:a=x\\:b=1", "f", [("a", "x\\"), ("b", "1")]),
        (r"f:a=\x\\y", "f", [("a", r"\x\\y")]),
        (
            "reframer:xs=T00:00:10,T00:01:10,90:xe=T00:00:20,D5:rt",
            "reframer",
            [("xs", "T00:00:10,T00:01:10,90"), ("xe", "T00:00:20,D5"), ("rt", None)],
        ),
        ("reframer:xs=T00:01:02.5:xe=T01:10", "reframer", [("xs", "T00:01:02.5"), ("xe", "T01:10")]),
        ("f:log=C:\\x\\y.txt:b=1", "f", [("log", "C:\\x\\y.txt"), ("b", "1")]),
        ("c=avc:b=2m", "enc", [("c", "avc"), ("b", "2m")]),
        ("src=film.mp4:FID=1", "", [("src", "film.mp4"), ("FID", "1")]),
        ("fin:src=film.mp4:SID=1#video", "fin", [("src", "film.mp4"), ("SID", "1#video")]),
    ],
)
def test_options_are_found(text, name, options):
    assert parsed(text) == (name, options, [])


def test_fragments_are_properties():
    assert parsed("src=a.mp4:#ServiceID=4:#Alpha:N=x") == (
        "",
        [("src", "a.mp4"), ("N", "x")],
        [("ServiceID", "4"), ("Alpha", None)],
    )


def test_url_and_option_look_up():
    parts = parse_filter_text("fin:src=a.mp4:loop:rate=1:rate=2")
    assert parts.url == "a.mp4"
    assert parts.option("rate") == "2"
    assert parts.option("loop") == "true"
    assert parts.option("none") is None
    assert parse_filter_text("f").url is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "filter string '' begins with no filter name"),
        (":a=1", "filter string ':a=1' begins with no filter name"),
        ("f:=1", "an option in 'f:=1' has no name"),
        ("f:!", "an option in 'f:!' has no name"),
        ("f:#=1", "an option in 'f:#=1' has no name"),
        ("f:!a=1", "'!a' in 'f:!a=1' has a value, and '!' means false already"),
    ],
)
def test_mistakes_are_named(text, says):
    with pytest.raises(OptionError) as caught:
        parse_filter_text(text)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("text", "url", "options"),
    [
        ("film.mp4", "film.mp4", []),
        ("film.mp4:loop=2", "film.mp4", [("loop", "2")]),
        ("film.mp4:loop", "film.mp4", [("loop", None)]),
        ("film.mp4:lopo=2", "film.mp4", [("lopo", "2")]),
        ("with:colon.mp4:!loop", "with:colon.mp4", [("loop", "false")]),
        ("C:\\a\\b.mp4:loop=2", "C:\\a\\b.mp4", [("loop", "2")]),
        ("C:/a/b.mp4", "C:/a/b.mp4", []),
        ("http://user:p:w@host:8080/a.mp4:loop=2", "http://user:p:w@host:8080/a.mp4", [("loop", "2")]),
        ("http://host/a:b=c?x=1:y", "http://host/a:b=c?x=1:y", []),
        ("http://host/a:FID=3", "http://host/a", [("FID", "3")]),
        ("http://host/a:gpac:other=1", "http://host/a", [("other", "1")]),
        ("http://host/a:#ServiceID=1", "http://host/a", [("#ServiceID", "1")]),
        ("http://host/a::other=1:2", "http://host/a", [("other", "1:2")]),
        ("udp://239.1.1.1:1234:loop=4", "udp://239.1.1.1:1234", [("loop", "4")]),
        ("rtsp://[::1]:8554/x:loop=3", "rtsp://[::1]:8554/x", [("loop", "3")]),
        ("rtsp://[::1]", "rtsp://[::1]", []),
        (r"http\://h:8\:0/x:loop=3", "http://h:8:0/x", [("loop", "3")]),
        ("pipe:1", "pipe:1", []),
        ("film.mp4:", "film.mp4:", []),
    ],
)
def test_a_url_ends_where_a_known_option_begins(text, url, options):
    assert split_url(text, ["loop"]) == (url, options)


def test_without_known_options_any_assignment_ends_a_url():
    assert split_url("http://host:80/a:b=c:d") == ("http://host:80/a", [("b", "c"), ("d", None)])
    assert split_url("http://host:80/a:d") == ("http://host:80/a:d", [])
    assert split_url("film.mp4:d") == ("film.mp4", [("d", None)])


def test_a_path_that_exists_keeps_its_colons():
    files = {"a:loop=1.mp4", "a"}
    assert split_url("a:loop=1.mp4:loop=2", ["loop"], exists=files.__contains__) == (
        "a:loop=1.mp4",
        [("loop", "2")],
    )


def test_options_in_a_filter_string_use_the_same_rule():
    text = "src=http://host/a:b=c:loop=2:FID=1"
    assert parsed(text, option_names=["loop"])[1] == [
        ("src", "http://host/a:b=c"),
        ("loop", "2"),
        ("FID", "1"),
    ]


def test_gpacs_builtin_options_are_known():
    assert {"FID", "SID", "N", "RSID", "gfreg"} <= BUILTIN_OPTIONS


def test_separators_can_be_changed():
    separators = Separators.parse("+~$")
    assert separators == Separators("+", "~", "$", ",", "!", "@")
    parts = parse_filter_text("f+a~1:2+$ID~3+flag", separators=separators)
    assert parts == FilterText("f", (("a", "1:2"), ("flag", None)), (("ID", "3"),))
    assert format_filter_text(parts, separators=separators) == "f+a~1:2+flag+$ID~3"


@pytest.mark.parametrize("text", [":=::", ":=#,!@x"])
def test_separators_must_differ(text):
    with pytest.raises(OptionError, match="up to six different characters"):
        Separators.parse(text)


@pytest.mark.parametrize(
    "parts",
    [
        FilterText(),
        FilterText("", (("flag", None),)),
        FilterText("", (("c", "avc"),)),
        FilterText("f", (("a=b", "1"),)),
        FilterText("f", (("", "1"),)),
        FilterText("f", (), (("a:b", "1"),)),
    ],
)
def test_what_no_string_can_say_is_refused(parts):
    with pytest.raises(OptionError):
        format_filter_text(parts)


WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(lambda word: word != "gpac")
TEXTS = st.text(st.sampled_from("ab:\\/=#!@,T0 .é")) | st.sampled_from(
    ["http://u:q7xp@h:8/x", "C:\\x", "T00:01:02", "src=x:y", "gpac"]
)
PAIRS = st.tuples(WORDS | st.sampled_from(["src", "dst", "url"]), st.none() | TEXTS)
FILTER_TEXTS = st.builds(
    FilterText, WORDS, st.lists(PAIRS, max_size=4).map(tuple), st.lists(PAIRS, max_size=2).map(tuple)
)


@given(FILTER_TEXTS)
def test_a_formatted_filter_reads_back(parts):
    assert parse_filter_text(format_filter_text(parts)) == parts


@given(FILTER_TEXTS, TEXTS)
def test_a_formatted_source_reads_back(parts, url):
    source = FilterText("", (("src", url), *parts.options), parts.properties)
    assert parse_filter_text(format_filter_text(source)) == source


@given(st.text(st.sampled_from("ab:\\/=#!@T0.")))
def test_any_text_is_read_or_refused_with_an_option_error(text):
    try:
        parts = parse_filter_text(text)
    except OptionError:
        return
    assert all(name for name, _ in (*parts.options, *parts.properties))


@given(st.text(st.sampled_from("ab:\\/=#!@T0.")))
def test_a_url_is_a_beginning_of_its_text(text):
    try:
        url, _ = split_url(text, ["a"])
    except OptionError:
        return
    assert text.replace("\\", "").startswith(url.replace("\\", ""))
