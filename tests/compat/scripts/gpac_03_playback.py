# From GPAC's document about its Python. Adapted only so far as
# the document's fragment needs to run by itself: the source comes from the environment.
import os
import sys
import types

import libgpac as gpac

fs = gpac.FilterSession()
f1 = fs.load_src(os.environ.get("SOURCE", "file.mp4"))
f2 = fs.load("vout")
fs.run()

fs.delete()
gpac.close()
