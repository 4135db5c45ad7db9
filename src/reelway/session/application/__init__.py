"""Applications: pipelines of named elements, run in the background, with a bus, queries, pads and probes."""
