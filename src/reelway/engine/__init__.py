"""The only home of av: demuxing, muxing, decoding, converting, encoding, bitstreams, stream parameters.

Never here: threads, locks.
"""
