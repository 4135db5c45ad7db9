"""Windows and sound for people, by SDL: `videosink`, `audiosink`. Never here: decoding, pacing, sessions."""
