# A custom filter whose output has another size than its input: every second pixel of every second line.
import os

import libgpac as gpac
import numpy

fs = gpac.FilterSession()


class Half(gpac.FilterCustom):
    def __init__(self, session):
        gpac.FilterCustom.__init__(self, session, "Half")
        self.push_cap("StreamType", "Visual", gpac.GF_CAPS_INPUT_OUTPUT)
        self.push_cap("CodecID", "raw", gpac.GF_CAPS_INPUT_OUTPUT)
        self.push_cap("PixelFormat", "rgb", gpac.GF_CAPS_INPUT_OUTPUT)

    def configure_pid(self, pid, is_remove):
        if is_remove:
            return 0
        if pid not in self.ipids:
            pid.opid = self.new_pid()
        pid.opid.copy_props(pid)
        self.width, self.height = pid.get_prop("Width"), pid.get_prop("Height")
        self.stride = pid.get_prop("Stride")
        pid.opid.set_prop("Width", self.width // 2)
        pid.opid.set_prop("Height", self.height // 2)
        pid.opid.set_prop("Stride", 3 * (self.width // 2))
        return 0

    def process(self):
        for pid in self.ipids:
            while True:
                pck = pid.get_packet()
                if pck is None:
                    break
                data = pck.clone().data if pck.frame_ifce else pck.data
                picture = data.reshape(self.height, self.stride)[:, : 3 * self.width]
                small = picture.reshape(self.height, self.width, 3)[::2, ::2]
                opck = pid.opid.new_pck(small.size)
                opck.copy_props(pck)
                numpy.copyto(opck.data, small.reshape(-1))
                opck.send()
                pid.drop_packet()
            if pid.eos:
                pid.opid.eos = True
        return 0


src = fs.load_src(os.environ["SOURCE"])
half = Half(fs)
half.set_source(src)
dst = fs.load_dst(os.environ["DEST"])
dst.set_source(half)
fs.run()
fs.delete()
gpac.close()
