# Pictures and sound of a film, in step: as the document's playback, with aout beside vout.
import os

import libgpac as gpac

fs = gpac.FilterSession()
f1 = fs.load_src(os.environ.get("SOURCE", "file.mp4"))
f2 = fs.load("vout")
f3 = fs.load("aout")
fs.run()
print("filters:", sorted(set(fs.get_filter(i).name for i in range(fs.nb_filters))))

fs.delete()
gpac.close()
