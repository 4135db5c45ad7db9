# From GPAC's document about its Python. Adapted only so far as
# the document's fragment needs to run by itself: nothing.
import sys
import libgpac as gpac

print("Welcome to GPAC Python !\nVersion: " + gpac.version)
