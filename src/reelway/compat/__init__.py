"""Faces of other systems (libgpac and others) on Reelway's public API alone, and the runner that serves their scripts."""
