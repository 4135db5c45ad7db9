"""Properties that change while a pipeline plays, from timeouts of the main loop."""

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

Gst.init(None)
text = (
    "videotestsrc name=source pattern=black is-live=true ! video/x-raw,format=GRAY8,width=32,height=32,framerate=50/1 "
    "! fakesink name=sink sync=true"
)
pipeline = Gst.parse_launch(text)
source = pipeline.get_by_name("source")
loop = GLib.MainLoop()
seen = []
told = []


def look(pad, info):
    value = info.get_buffer().extract_dup(0, 1)[0] > 128
    if not seen or seen[-1] != value:
        seen.append(value)
    return Gst.PadProbeReturn.OK


def change(pattern):
    source.set_property("pattern", pattern)
    return False


source.connect("notify::pattern", lambda element, spec: told.append((spec.name, element.props.pattern.value_nick)))
pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, look)
GLib.timeout_add(300, change, "white")
GLib.timeout_add(600, change, 2)
GLib.timeout_add(900, loop.quit)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
print(seen)
print(told)
try:
    source.set_property("pattern", "whote")
except TypeError as error:
    print("TypeError:", "whote" in str(error))
try:
    source.set_property("patern", 1)
except TypeError as error:
    print("TypeError:", "patern" in str(error))
