"""Values: time, properties, packets, payloads, events, names. Never here: av, threads, input or output."""
