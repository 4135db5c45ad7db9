"""What moves: scheduler, workers, timers, clock, deadlocks, statistics. Never here: av, any codec's name."""
