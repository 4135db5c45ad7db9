# A custom source of raw pictures in memory of its own, released when nobody reads them any more.
import os

import libgpac as gpac
import numpy

WIDTH, HEIGHT, COUNT = 160, 120, 50
fs = gpac.FilterSession()


class Painter(gpac.FilterCustom):
    def __init__(self, session):
        gpac.FilterCustom.__init__(self, session, "Painter")
        self.push_cap("StreamType", "Visual", gpac.GF_CAPS_OUTPUT)
        self.push_cap("CodecID", "raw", gpac.GF_CAPS_OUTPUT)
        self.opid = None
        self.painted = self.released = 0
        self.eos = False

    def process(self):
        if self.opid is None:
            self.opid = self.new_pid()
            self.opid.set_prop("StreamType", "Visual")
            self.opid.set_prop("CodecID", "raw")
            self.opid.set_prop("PixelFormat", "rgb")
            self.opid.set_prop("Width", WIDTH)
            self.opid.set_prop("Height", HEIGHT)
            self.opid.set_prop("Timescale", 25)
            self.opid.set_prop("FPS", gpac.Fraction(25, 1))
        if self.painted == COUNT:
            self.opid.eos = True
            return gpac.GF_EOS
        picture = numpy.zeros((HEIGHT, WIDTH, 3), numpy.uint8)
        picture[:, : WIDTH * self.painted // COUNT] = (255, 0, 0)
        pck = self.opid.new_pck_shared(picture)
        pck.cts = self.painted
        pck.dur = 1
        pck.sap = 1
        pck.send()
        self.painted += 1
        return 0

    def packet_release(self, opid, pck):
        self.released += 1


painter = Painter(fs)
dst = fs.load_dst(os.environ["DEST"])
fs.run()
print(painter.painted, "painted")
fs.delete()
print(painter.released, "released")
gpac.close()
