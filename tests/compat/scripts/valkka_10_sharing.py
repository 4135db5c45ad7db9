# In the manner of Valkka's lessons: pictures in RGB for another process, which may as well be started first.
#
#   RTSP=rtsp://... reelway script valkka_10_sharing.py &
#   reelway script valkka_10_sharing.py client
import os
import sys
import time

from valkka.core import *

name, width, height, cells = "lesson_sharing", 320, 240, 10


def serve(seconds):
    shmem = RGBShmemFrameFilter(name, cells, width, height, 1000)
    interval = TimeIntervalFrameFilter("interval", 200, SwScaleFrameFilter("scale", width, height, shmem))
    avthread = AVThread("avthread", interval)
    livethread = LiveThread("livethread")
    ctx = LiveConnectionContext(LiveConnectionType_rtsp, os.environ["RTSP"], 7, avthread.getFrameFilter())
    avthread.startCall()
    livethread.startCall()
    avthread.decodingOnCall()
    livethread.registerStreamCall(ctx)
    livethread.playStreamCall(ctx)
    time.sleep(seconds)
    livethread.stopCall()
    avthread.stopCall()


def look(seconds):
    from valkka.api2 import ShmemRGBClient

    client = ShmemRGBClient(
        name=name, n_ringbuffer=cells, width=width, height=height, mstimeout=1000, verbose=False
    )
    until = time.time() + seconds
    while time.time() < until:
        index, meta = client.pullFrame()
        if index is None:
            print("timeout", flush=True)
            continue
        data = client.shmem_list[index][0:meta.size]
        image = data.reshape((meta.height, meta.width, 3))
        # the camera of the test has its counter in 16 squares along the top
        squares = image[4, width // 32 :: width // 16, 0] > 127
        number = int("".join("01"[int(each)] for each in squares), 2)
        print("slot", meta.slot, "counter", number, "at", meta.mstimestamp, flush=True)


seconds = float(os.environ.get("SECONDS_TO_RUN", "20"))
if "client" in sys.argv[1:]:
    look(seconds)
else:
    serve(seconds)
print("bye")
