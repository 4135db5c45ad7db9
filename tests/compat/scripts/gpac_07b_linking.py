# From GPAC's document about its Python. Adapted only so far as
# the document's fragment needs to run by itself: it calls the reframer by a variable that it
# never sets; source and destination come from the environment. The reframer's own source is
# left to implicit linking, as in the document.
import os
import sys
import types

import libgpac as gpac

fs = gpac.FilterSession()
f_src = fs.load_src(os.environ.get("SOURCE", "source.mp4"))
f_dst = fs.load_dst(os.environ.get("DEST", "remux.mp4"))
f_reframe = fs.load('reframer')
f_dst.set_source(f_reframe, "#PID=1")
fs.run()

fs.delete()
gpac.close()
