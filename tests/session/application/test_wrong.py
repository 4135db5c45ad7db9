"""Wrong pipeline texts that only who knows elements can refuse: the message, the place, the hint."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.session.application.element import make_element
from tests.pipelines import WRONG, Wrong

ENTRIES = [each for each in WRONG if each.about == "elements"]


def refused(text: str) -> rw.ReelwayError:
    """What keeps `text` from being played."""
    with pytest.raises(rw.ReelwayError) as caught:
        rw.launch(text, background=False, threads=0).stop()
    return caught.value


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_wrong_text_is_refused_with_place_reason_and_hint(
    entry: Wrong, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # type: ignore[arg-type]  # nothing is written where the tests run
    error = refused(entry.text)
    place = error if isinstance(error, rw.PipelineError) else error.place
    assert (str(error), error.hint or "") == (entry.error, entry.hint)
    assert place is not None
    assert place.text == entry.text
    assert place.text[place.at : place.at + place.length] == entry.under
    line, carets = place.caret.splitlines()
    column = carets.index("^")
    assert line[column : column + carets.count("^")] == entry.under


def test_thirty_wrong_texts_are_refused() -> None:
    assert len(WRONG) >= 30
    assert len(ENTRIES) >= 16


def test_an_error_that_is_found_on_opening_shows_the_place_under_a_traceback() -> None:
    error = refused("videotestsrc num-buffers=1 ! audio/x-raw ! fakesink")
    assert any("video/x-raw" not in note and "^^^^^^^^^^^" in note for note in error.__notes__)


def test_what_is_no_text_no_signal_or_no_pad_is_refused_in_words() -> None:
    for nothing in (123, b"videotestsrc ! fakesink", None):
        with pytest.raises(rw.OptionError, match="a pipeline is text, not"):
            rw.launch(nothing)  # type: ignore[arg-type]
        with pytest.raises(rw.OptionError, match="the kind of an element is text"):
            make_element(nothing)  # type: ignore[arg-type]
    app = rw.launch("videotestsrc name=v ! tee name=t ! fakesink name=out", start=False)
    with pytest.raises(rw.UnknownNameError, match="pad-addedd") as caught:
        app["v"].connect("pad-addedd", print)
    assert caught.value.near == ["pad-added"]
    with pytest.raises(rw.UnknownNameError, match="notify::patern"):
        app["v"].connect("notify::patern", print)
    for ask in (app.query.caps, app.query.bitrate):
        with pytest.raises(rw.OptionError, match="wants a pad, not 'out.sink'"):
            ask("out.sink")  # type: ignore[arg-type]
    with pytest.raises(rw.OptionError, match="behind an element or a pad, not 't'"):
        app.pipeline.branch("queue ! fakesink", "t")  # type: ignore[arg-type]


def test_a_place_that_was_not_said_is_asked_for_by_its_property() -> None:
    for text in ("videotestsrc ! filesink", "filesrc ! fakesink"):
        with pytest.raises(rw.OptionError, match="does not say where to") as caught:
            rw.launch(text)
        assert caught.value.hint == "set location=..."


def test_a_placeholder_nobody_has_is_named_with_the_near_one() -> None:
    with pytest.raises(rw.PipelineError, match="no placeholder is named 'patern'") as caught:
        rw.launch("videotestsrc pattern={pattern:ball} ! fakesink", start=False, patern="snow")
    assert caught.value.hint == "did you mean 'pattern'?"
    with pytest.raises(rw.PipelineError) as caught:
        rw.launch("videotestsrc ! fakesink", start=False, pattern="snow")
    assert caught.value.hint == "the text has no placeholders"
