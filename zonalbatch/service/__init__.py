"""The HTTP service: statistics of one area now, jobs later; a room of its own above the engine."""
