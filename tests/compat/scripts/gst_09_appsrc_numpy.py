"""Frames drawn with numpy, encoded into a file."""

import os

import gi
import numpy as np

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

Gst.init(None)
WIDTH, HEIGHT, FPS, COUNT = 160, 120, 25, 50

pipeline = Gst.Pipeline.new(None)
source = Gst.ElementFactory.make("appsrc", "source")
convert = Gst.ElementFactory.make("videoconvert", None)
encoder = Gst.ElementFactory.make("x264enc", None)
muxer = Gst.ElementFactory.make("mp4mux", None)
sink = Gst.ElementFactory.make("filesink", None)
source.set_property(
    "caps", Gst.Caps.from_string("video/x-raw,format=RGB,width=%d,height=%d,framerate=%d/1" % (WIDTH, HEIGHT, FPS))
)
source.set_property("format", Gst.Format.TIME)
encoder.set_property("bitrate", 500)
encoder.set_property("speed-preset", "ultrafast")
sink.set_property("location", os.environ["DEST"])
pipeline.add(source, convert, encoder, muxer, sink)
Gst.Element.link_many(source, convert, encoder, muxer, sink)

state = {"next": 0, "asked": 0}


def draw(number):
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[:, : WIDTH * number // COUNT] = (255, 255, 255)
    return frame


def on_need_data(appsrc, length):
    state["asked"] += 1
    number = state["next"]
    if number == COUNT:
        appsrc.emit("end-of-stream")
        return
    buffer = Gst.Buffer.new_wrapped(draw(number).tobytes())
    buffer.pts = number * Gst.SECOND // FPS
    buffer.duration = Gst.SECOND // FPS
    state["next"] = number + 1
    if appsrc.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
        print("not taken")


source.connect("need-data", on_need_data)
loop = GLib.MainLoop()


def on_message(bus, message):
    if message.type == Gst.MessageType.ERROR:
        print("error:", message.parse_error())
    if message.type in (Gst.MessageType.EOS, Gst.MessageType.ERROR):
        loop.quit()


bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message", on_message)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
print("pushed:", state["next"], "asked often enough:", state["asked"] > COUNT)
