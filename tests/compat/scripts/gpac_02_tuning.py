# From GPAC's document about its Python. Adapted only so far as
# the document's fragment needs to run by itself: a stray quote is removed.
import os
import sys
import types

import libgpac as gpac

gpac.init(1, "customprofile")
#first argument is ignored by libgpac
opts = ["myapp"];
#for example, blacklist some filters
opts.append("-blacklist=filters_you_do_not_want")
opts.append("-no-block")
gpac.set_args(opts)
gpac.set_args(sys.argv)
gpac.set_logs("dash@info")
fs = gpac.FilterSession()

fs.delete()
gpac.close()
