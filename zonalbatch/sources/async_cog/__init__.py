"""COGs read by ranges, many at once: what a part needs of its files is asked for together.

A file is one header and blocks at known places. The header is fetched in one request and read by
GDAL, as it is of all files, so that one reader says what the other does; blocks are asked for by
ranges (`obstore`), neighbours in one, and decoded in the threads that wait for them (Arrow,
libdeflate). What is no plain COG is left to GDAL, by `raster.py`.
"""
