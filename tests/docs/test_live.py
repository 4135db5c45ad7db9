"""docs/live.md says the deadlines that the protocols have."""

from __future__ import annotations

import re
from pathlib import Path

from reelway.media import addresses

PAGE = Path(__file__).parents[2] / "docs" / "live.md"
WORDS = {"RTSP": "rtsp", "RTP": "rtp", "UDP": "udp", "SRT": "srt", "RTMP": "rtmp", "HTTP live streams": "hls"}
WORDS["devices of this machine"] = "device"


def test_the_table_of_deadlines() -> None:
    rows = re.findall(r"^\| ([\w, ]+) \| (\d+) s \| (\d+) s \|$", PAGE.read_text(), re.MULTILINE)
    said = {
        WORDS[word]: (float(open_s), float(silence_s))
        for words, open_s, silence_s in rows
        for word in words.split(", ")
    }
    known = {*addresses.PROTOCOLS.values(), addresses.HLS, addresses.DEVICE}
    assert said == {each.name: (each.open_s, each.silence_s) for each in known}
