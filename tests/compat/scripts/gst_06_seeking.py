"""Plays a file, asks whether it can be sought in, and goes elsewhere."""

import os

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp

Gst.init(None)
text = "filesrc location=\"%s\" ! decodebin ! videoconvert ! appsink name=out sync=false max-buffers=2"
pipeline = Gst.parse_launch(text % os.environ["SOURCE"])
sink = pipeline.get_by_name("out")

pipeline.set_state(Gst.State.PAUSED)
print(pipeline.get_state(10 * Gst.SECOND)[0].value_nick)

query = Gst.Query.new_seeking(Gst.Format.TIME)
print("asked:", pipeline.query(query))
format, seekable, start, end = query.parse_seeking()
print("seekable:", format == Gst.Format.TIME, seekable, start, round(end / Gst.SECOND))
there, duration = pipeline.query_duration(Gst.Format.TIME)
print("duration:", there, round(duration / Gst.SECOND))


def first_after(seconds, flags):
    print("seek:", pipeline.seek_simple(Gst.Format.TIME, flags, int(seconds * Gst.SECOND)))
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_state(10 * Gst.SECOND)
    sample = sink.try_pull_sample(10 * Gst.SECOND)
    return sample.get_buffer().pts / Gst.SECOND


accurate = Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE
for seconds in (2.0, 0.52, 3.0):
    print("at %.2f" % first_after(seconds, accurate))

event = Gst.Event.new_seek(
    1.0, Gst.Format.TIME, accurate, Gst.SeekType.SET, Gst.SECOND, Gst.SeekType.SET, int(1.5 * Gst.SECOND)
)
print("sent:", pipeline.send_event(event), event.parse_seek().start == Gst.SECOND)
times = []
while True:
    sample = sink.try_pull_sample(5 * Gst.SECOND)
    if sample is None:
        break
    times.append(sample.get_buffer().pts / Gst.SECOND)
print("from %.2f to before %.1f, in order: %s" % (times[0], round(max(times) + 0.04, 1), times == sorted(times)))
print("over:", sink.get_property("eos"))
pipeline.set_state(Gst.State.NULL)
