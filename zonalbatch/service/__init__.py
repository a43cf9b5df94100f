"""The HTTP service: statistics of one area now, jobs later; on top of the engine."""
