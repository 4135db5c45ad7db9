"""Elements made by name, put together by hand, and played to their end."""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

Gst.init(sys.argv[1:])

source = Gst.ElementFactory.make("videotestsrc", "source")
convert = Gst.ElementFactory.make("videoconvert", "convert")
sink = Gst.ElementFactory.make("fakesink", "sink")
pipeline = Gst.Pipeline.new("by-hand")

if not pipeline or not source or not convert or not sink:
    print("Not all elements could be created.")
    sys.exit(-1)

print(source.get_factory().get_name(), source.get_name(), source.get_property("num-buffers"))
source.set_property("num-buffers", 25)
source.props.pattern = "snow"
print(source.props.num_buffers, source.get_property("pattern").value_nick, int(source.props.pattern))

pipeline.add(source)
pipeline.add(convert)
pipeline.add(sink)
if not source.link(convert):
    print("source and convert could not be linked")
    sys.exit(-1)
caps = Gst.Caps.from_string("video/x-raw,format=RGB,width=64,height=48")
if not convert.link_filtered(sink, caps):
    print("convert and sink could not be linked")
    sys.exit(-1)
print("linked:", source.get_static_pad("src").get_peer().get_parent_element().get_name())
print("names:", sorted(element.get_name() for element in pipeline.iterate_elements()))

changed = pipeline.set_state(Gst.State.PLAYING)
if changed == Gst.StateChangeReturn.FAILURE:
    print("cannot play")
    sys.exit(-1)
done, state, pending = pipeline.get_state(Gst.CLOCK_TIME_NONE)
print(done.value_nick, Gst.Element.state_get_name(state), pending.value_nick)

bus = pipeline.get_bus()
message = bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.ERROR | Gst.MessageType.EOS)
if message.type == Gst.MessageType.ERROR:
    error, debug = message.parse_error()
    print("error from", message.src.get_name(), error.message)
else:
    print("end of stream from", message.src.get_name())

structure = sink.get_static_pad("sink").get_current_caps().get_structure(0)
print(structure.get_name(), structure.get_string("format"), structure.get_int("width"), structure.get_int("height"))
print(structure.get_fraction("framerate"), structure.has_field("layout"))
pipeline.set_state(Gst.State.NULL)
print(pipeline.get_state(0)[1].value_nick)
