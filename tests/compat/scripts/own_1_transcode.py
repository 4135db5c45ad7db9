# A film into another codec and size, by filters in texts, with statistics of each filter at the end.
import os

import libgpac as gpac

fs = gpac.FilterSession(gpac.GF_FS_FLAG_NON_BLOCKING)
src = fs.load_src(os.environ["SOURCE"])

scale = fs.load("ffsws:osize=160x120:ofmt=yuv420p")
scale.set_source(src, "#video")
video = fs.load("enc:c=avc:b=200k:fintra=12/25")
video.set_source(scale)

sound = fs.load("resample:och=1:osr=24000")
sound.set_source(src, "#audio")
audio = fs.load("ffenc:c=aac:b=32k")
audio.set_source(sound)

dst = fs.load_dst(os.environ["DEST"])
dst.set_source(video)
dst.set_source(audio)

while True:
    fs.run()
    if fs.last_task:
        break

for index in range(fs.nb_filters):
    filter = fs.get_filter(index)
    print(filter.name, filter.nb_ipid, filter.nb_opid)

fs.delete()
gpac.close()
