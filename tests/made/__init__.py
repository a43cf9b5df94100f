"""What tests work on, made anew each time: one room for all of them.

    places ◄─ rasters, zones ◄─ jobs, runs
    places ◄─ scenes, layers
    commands ◄─ jobs
    names ◄─ runs

An arrow points to what is imported. The slow and obvious answers that results are held against
are in `tests/oracles.py`.
"""
