# A custom sink on raw pictures and raw sound of GPAC's test source: brightness of pictures, level of sound.
import libgpac as gpac
import numpy

fs = gpac.FilterSession()


class Meters(gpac.FilterCustom):
    def __init__(self, session):
        gpac.FilterCustom.__init__(self, session, "Meters")
        self.push_cap("StreamType", "Visual", gpac.GF_CAPS_INPUT)
        self.push_cap("CodecID", "raw", gpac.GF_CAPS_INPUT)
        self.push_cap("StreamType", "Audio", 0)
        self.push_cap("StreamType", "Audio", gpac.GF_CAPS_INPUT)
        self.push_cap("CodecID", "raw", gpac.GF_CAPS_INPUT)
        self.set_max_pids(2)
        self.pictures = self.samples = 0
        self.luma, self.peak = [], 0

    def configure_pid(self, pid, is_remove):
        if is_remove:
            return 0
        pid.type = pid.get_prop("StreamType")
        if pid.type == "Visual":
            print("pictures", pid.get_prop("Width"), pid.get_prop("Height"), pid.get_prop("PixelFormat"))
            pid.luma_size = pid.get_prop("Stride") * pid.get_prop("Height")
        else:
            print("sound", pid.get_prop("SampleRate"), pid.get_prop("NumChannels"), pid.get_prop("AudioFormat"))
        evt = gpac.FilterEvent(gpac.GF_FEVT_PLAY)
        pid.send_event(evt)
        return 0

    def process(self):
        for pid in self.ipids:
            while True:
                pck = pid.get_packet()
                if pck is None:
                    break
                if pid.type == "Visual":
                    self.pictures += 1
                    self.luma.append(int(pck.data[: pid.luma_size].mean()))
                else:
                    samples = numpy.frombuffer(pck.data, numpy.int16)
                    self.samples += len(samples) // 2
                    self.peak = max(self.peak, int(abs(samples).max()))
                pid.drop_packet()
        if all(pid.eos for pid in self.ipids):
            return gpac.GF_EOS
        return 0


source = fs.load("avgen:dur=2:size=320x240:pattern=gray:counter=no:wave=sine:volume=0.5")
meters = Meters(fs)
fs.run()
print(meters.pictures, "pictures, luma", min(meters.luma), "to", max(meters.luma))
print(meters.samples, "samples, peak", meters.peak)
fs.delete()
gpac.close()
