"""A source, a filter and a sink written in Python, used by name in a pipeline text."""

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
from gi.repository import GObject, Gst, GstBase

import numpy as np

Gst.init(None)
GRAY = Gst.Caps.from_string("video/x-raw,format=GRAY8,width=[1,4096],height=[1,4096],framerate=[0/1,1000/1]")


class Steps(GstBase.BaseSrc):
    """Grey pictures, each brighter than the one before."""

    __gstmetadata__ = ("Steps", "Source/Video", "Grey pictures", "Reelway")
    __gsttemplates__ = Gst.PadTemplate.new(
        "src",
        Gst.PadDirection.SRC,
        Gst.PadPresence.ALWAYS,
        Gst.Caps.from_string("video/x-raw,format=GRAY8,width=32,height=24,framerate=10/1"),
    )

    step = GObject.Property(type=int, default=10, minimum=1, maximum=255, nick="step", blurb="brighter by")

    def __init__(self):
        super().__init__()
        self.number = 0
        self.set_format(Gst.Format.TIME)
        self.set_live(False)

    def do_create(self, offset, length, buffer):
        if self.number == 8:
            return Gst.FlowReturn.EOS, None
        buffer = Gst.Buffer.new_wrapped(bytes([self.number * self.step]) * (32 * 24))
        buffer.pts = self.number * Gst.SECOND // 10
        buffer.duration = Gst.SECOND // 10
        self.number += 1
        return Gst.FlowReturn.OK, buffer


class Add(GstBase.BaseTransform):
    """Adds a number to each pixel; its property can change while it plays."""

    __gstmetadata__ = ("Add", "Filter/Effect/Video", "Adds to pixels", "Reelway")
    __gsttemplates__ = (
        Gst.PadTemplate.new("src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, GRAY),
        Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, GRAY),
    )
    __gproperties__ = {
        "amount": (int, "amount", "what is added", 0, 255, 1, GObject.ParamFlags.READWRITE),
    }

    def __init__(self):
        super().__init__()
        self.amount = 1
        self.set_in_place(True)

    def do_get_property(self, prop):
        if prop.name == "amount":
            return self.amount
        raise AttributeError(prop.name)

    def do_set_property(self, prop, value):
        if prop.name == "amount":
            self.amount = value

    def do_set_caps(self, incaps, outcaps):
        structure = incaps.get_structure(0)
        self.size = structure.get_value("height"), structure.get_value("width")
        print("caps:", self.size, incaps.is_equal(outcaps))
        return True

    def do_transform_ip(self, buffer):
        with buffer.map(Gst.MapFlags.READ | Gst.MapFlags.WRITE) as mapped:
            picture = np.ndarray(self.size, np.uint8, mapped.data)
            picture += np.uint8(self.amount)
            if picture[0, 0] == 30 + self.amount:
                return Gst.FlowReturn.CUSTOM_SUCCESS  # it goes no further
        return Gst.FlowReturn.OK


class Collect(GstBase.BaseSink):
    """Keeps what comes."""

    __gstmetadata__ = ("Collect", "Sink", "Keeps what comes", "Reelway")
    __gsttemplates__ = Gst.PadTemplate.new(
        "sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, Gst.Caps.new_any()
    )

    def __init__(self):
        super().__init__()
        self.got = []

    def do_start(self):
        print("started")
        return True

    def do_stop(self):
        print("stopped")
        return True

    def do_render(self, buffer):
        self.got.append((buffer.pts // Gst.MSECOND, buffer.extract_dup(0, 1)[0], buffer.get_size()))
        return Gst.FlowReturn.OK


for name, kind in (("steps", Steps), ("add", Add), ("collect", Collect)):
    GObject.type_register(kind)
    if not Gst.Element.register(None, name, Gst.Rank.NONE, kind):
        raise SystemExit("not registered: " + name)

pipeline = Gst.parse_launch("steps step=15 ! add name=more amount=5 ! collect name=end sync=false")
more = pipeline.get_by_name("more")
print(type(more).__name__, more.get_property("amount"), more.props.amount, more.get_factory().get_name())
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
if message.type == Gst.MessageType.ERROR:
    print(message.parse_error())
pipeline.set_state(Gst.State.NULL)
print(pipeline.get_by_name("end").got)
