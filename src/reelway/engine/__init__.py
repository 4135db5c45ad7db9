"""The only home of av: demuxing, muxing, bitstreams, stream parameters. Never here: threads, locks."""
