# In the manner of Valkka's lessons: one camera is decoded once, and forked.
#
#   (LiveThread) -->> (AVThread) --> {fork} --> {brief info}
#                                       |
#                                       +--> {interval} --> {scale} --> {shared memory}
#
# What comes off the camera is told of, too, before it is decoded.
import os
import time

from valkka.core import *

width, height = 160, 120

# from the leaves of the tree to its root
decoded_info = BriefInfoFrameFilter("decoded")
shmem = RGBShmemFrameFilter("lesson_fork", 10, width, height, 1000)
scale = SwScaleFrameFilter("scale", width, height, shmem)
interval = TimeIntervalFrameFilter("interval", 500, scale)
fork = ForkFrameFilter("fork", decoded_info, interval)

avthread = AVThread("avthread", fork)

coded_info = BriefInfoFrameFilter("coded", avthread.getFrameFilter())
livethread = LiveThread("livethread")
ctx = LiveConnectionContext(LiveConnectionType_rtsp, os.environ["RTSP"], 1, coded_info)

avthread.startCall()
livethread.startCall()
avthread.decodingOnCall()

livethread.registerStreamCall(ctx)
livethread.playStreamCall(ctx)

time.sleep(float(os.environ.get("SECONDS_TO_RUN", "20")))

livethread.stopStreamCall(ctx)
livethread.deregisterStreamCall(ctx)
livethread.stopCall()
avthread.stopCall()
print("bye")
