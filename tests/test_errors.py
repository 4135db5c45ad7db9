"""The error tree: builtins, texts, hints, and secrets that stay secret."""

from __future__ import annotations

import errno
import pickle
import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway import errors
from reelway.errors import (
    DeadlineError,
    FilterError,
    FormatError,
    InterleaveError,
    LinkError,
    OpenError,
    OptionError,
    PacketError,
    PipelineError,
    ReelwayError,
    StateError,
    UnknownNameError,
    UnknownOptionError,
    UnsupportedError,
    nearest,
    redact,
)

BUILTINS = [
    (OptionError, ValueError),
    (UnknownNameError, LookupError),
    (UnknownOptionError, ValueError),
    (UnknownOptionError, LookupError),
    (LinkError, ValueError),
    (FormatError, ValueError),
    (OpenError, OSError),
    (UnsupportedError, NotImplementedError),
    (FilterError, RuntimeError),
    (InterleaveError, RuntimeError),
    (StateError, RuntimeError),
    (DeadlineError, TimeoutError),
    (PacketError, ValueError),
    (PacketError, BufferError),
    (PipelineError, ValueError),
]


@pytest.mark.parametrize(("kind", "builtin"), BUILTINS)
def test_each_error_is_caught_as_its_builtin_and_as_reelway_error(kind, builtin):
    for caught in (builtin, ReelwayError):
        with pytest.raises(caught, match="the text"):
            raise kind("the text", hint="the hint")


def test_every_error_class_is_public():
    classes = {
        name
        for name, item in vars(errors).items()
        if isinstance(item, type) and issubclass(item, ReelwayError)
    }
    assert classes == set(errors.__all__) - {"near_attribute", "nearest", "redact"}


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in BUILTINS}, key=lambda kind: kind.__name__))
def test_text_is_one_line_and_the_hint_is_apart(kind):
    error = kind("what happened", hint="do this")
    assert str(error) == "what happened"
    assert error.hint == "do this"
    assert "hint: do this" in "".join(traceback.format_exception(error))
    assert error.fault in {"caller", "world", "filter", "installation"}


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in BUILTINS}, key=lambda kind: kind.__name__))
def test_errors_cross_processes(kind):
    error = pickle.loads(pickle.dumps(kind("what happened", hint="do this")))
    assert (type(error), str(error), error.hint) == (kind, "what happened", "do this")


def test_open_error_hides_the_password_and_keeps_errno():
    error = OpenError("cannot open rtsp://me:pw1@cam/x", url="rtsp://me:pw1@cam/x", errno=errno.ENOENT)
    assert str(error) == "cannot open rtsp://me:***@cam/x"
    assert error.url == "rtsp://me:***@cam/x"
    assert error.errno == errno.ENOENT
    assert "pw1" not in repr(error)


def test_filter_error_says_which_filter_where_when_and_why():
    cause = ValueError("bad shape\nsecond line")
    error = FilterError(filter="invert", pid="video", time=3.2, cause=cause)
    assert str(error) == "filter 'invert' failed on pid 'video' at 3.200 s: ValueError: bad shape"
    assert error.__cause__ is cause
    assert (error.filter, error.pid, error.time, error.cause) == ("invert", "video", 3.2, cause)
    assert str(FilterError(filter="f", cause=KeyError())) == "filter 'f' failed: KeyError"


def test_filter_error_passes_on_the_hint_of_its_cause():
    assert FilterError(filter="f", cause=StateError("no", hint="call open()")).hint == "call open()"


def test_unknown_name_offers_the_near_ones():
    error = UnknownNameError.of("filter", "reframr", ["reframer", "inspect"], hint="list them")
    assert str(error) == "no filter is named 'reframr'"
    assert (error.name, error.near) == ("reframr", ["reframer"])
    assert error.hint == "did you mean 'reframer'? list them"


def test_unknown_name_lists_a_few_when_none_is_near():
    assert UnknownNameError.of("mode", "zzz", ["b", "a"]).hint == "known: a, b."
    assert UnknownNameError.of("mode", "zzz", map(str, range(100))).hint is None


def test_nearest_ignores_case_keeps_spelling_and_finds_beginnings():
    assert nearest("WIDHT", ["Width", "Height"]) == ["Width"]
    assert nearest("sat", ["saturation_of_colours", "hue"]) == ["saturation_of_colours"]
    assert nearest("qqq", ["Width"]) == []


SECRETS = [
    ("rtsp://admin:s3cret@cam:554/live", "rtsp://admin:***@cam:554/live"),
    ("rtsp://admin:p@ss:w/rd?#@cam/live", "rtsp://admin:***@cam/live"),
    ("rtsp://admin:12345@cam", "rtsp://admin:***@cam"),
    ("rtsp://a:it's@h and rtsp://b:x@k", "rtsp://a:***@h and rtsp://b:***@k"),
    ("rtsp://a:b@h1,rtsp://c:d@h2", "rtsp://a:***@h1,rtsp://c:***@h2"),
    ("http://:pw@host/", "http://:***@host/"),
    ("srt://h:9000?passphrase=abcdef&mode=caller", "srt://h:9000?passphrase=***&mode=caller"),
    ("srt://h:9000?streamid=abc", "srt://h:9000?streamid=***"),
    ("http://h/x?access_token=abc&key=k1&API_KEY=k2", "http://h/x?access_token=***&key=***&API_KEY=***"),
    ("password=hunter2 was refused", "password=*** was refused"),
    ("https://h/seg?X-Amz-Signature=ab12&n=1", "https://h/seg?X-Amz-Signature=***&n=1"),
    ("rtspsrc user-id=bob user-pw=HUNTER2 ! fakesink", "rtspsrc user-id=bob user-pw=*** ! fakesink"),
    ("rtspsrc user-pww=HUN&TER2 ! fakesink", "rtspsrc user-pww=*** ! fakesink"),
    ('a user-pw="HUN TER2" b', "a user-pw=*** b"),
    ("a proxy-pw='HUN \\' TER2' b", "a proxy-pw=*** b"),
    ("a user-pw = (string)HUN\\ TER2 b", "a user-pw = (string)*** b"),
    ('a user-pw="HUN TER2 b', "a user-pw=***"),
    (r'"user-pw=\"HUNTER2\""', '"user-pw=***"'),
    ("x pasword=HUNTER2 stream-key=abc", "x pasword=*** stream-key=***"),
    ("http://h/?user_pw=abc&n=1", "http://h/?user_pw=***&n=1"),
    ("rtmp://h/live/KEY: Connection refused", "rtmp://h/live/***: Connection refused"),
    ("rtmps://h:443/app/inst/KEY?a=b ! x", "rtmps://h:443/app/*** ! x"),
    ("rtmp://a/x/k1,rtmp://b/y/k2", "rtmp://a/x/***,rtmp://b/y/***"),
    ("'rtmp://a:b@h/live/k1.x'", "'rtmp://a:***@h/live/***'"),
    ("rtmp://h/live playpath=KEY", "rtmp://h/live playpath=***"),
    ("rtsp://me@mail.org:KEY@cam/x", "rtsp://me@mail.org:***@cam/x"),
    ("{'headers': 'Authorization: Basic KEY=='}", "{'headers': 'Authorization: ***'}"),
    ('Authorization: Digest username="u", response="KEY"\r\nHost: h', "Authorization: ***\r\nHost: h"),
    (r"'X-Auth-Token: KEY\r\nHost: h'", r"'X-Auth-Token: ***\r\nHost: h'"),
    ('{"token": "KEY", "n": 1}', '{"token": "***", "n": 1}'),
    ("{'Cookie': b'KEY'}", "{'Cookie': b\"***\"}"),
    ("a user-pw=(string)", "a user-pw=***"),
    ("password=''KEY b", "password=*** b"),
]


@pytest.mark.parametrize(("text", "hidden"), SECRETS)
def test_secrets_are_hidden(text, hidden):
    assert redact(text) == hidden
    assert redact(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "http://host:8080/icon@2x.png",
        "rtsp://user@host/live",
        "http://[::1]:8080/x@y",
        "film.mp4:loop=2",
        "option keyframe=1 of x264",
        "http://h/?monkey=1&turkey=2",
        "x264enc pass=qual multipass-cache-file=x key-int-max=30",
        "rtmp://host/live",
        "rtmp://host:1935/live/",
        "spw:3, pw and a password",
        "mail me@example.org about http://host:80, or not",
        "an unexpected token: film, and no cookie",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


@given(
    user=st.text("abc", max_size=3),
    password=st.text("xyz@/:?#'%é", min_size=1),
    host=st.text("mn", min_size=1),
)
def test_no_password_survives(user, password, host):
    hidden = redact(f"cannot open rtsp://{user}:{password}@{host}/live")
    assert hidden == f"cannot open rtsp://{user}:***@{host}/live"


@given(st.text())
def test_redacting_twice_changes_nothing(text):
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a:",
        "a://b:",
        "://a:b@,",
        "pasw",
        "-",
        ":",
        ",",
        '"',
        "=",
        "token='",
        'token="\\',
        "token=(a",
        "rtmp://a/b/:",
        "\n",
    ],
)
def test_its_time_grows_as_the_text_does(piece):
    """100 kB are a matter of milliseconds; for a pattern that is tried anew from each place, of minutes."""
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    for start in ("", "rtmp://h/a/", "password=pas", "rtsp://"):
        redact(f"{start}{text}!")
    assert time.process_time() - began < 5
