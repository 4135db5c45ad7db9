"""Faces of other systems, such as libgpac, on Reelway's public API alone, and the runner of their scripts."""
