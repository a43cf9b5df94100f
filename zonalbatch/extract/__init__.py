"""Extract: the pixels of a box, right to the pixel, as one GeoTIFF.

    data set ─► pieces (files that meet the box) ─► frame (their cells about the box) ─►
    mosaic (windows, each read once) ─► cells (coarser, if asked for) ─► COG

asked      what is asked for, checked before anything is read
within     what a provider has to say in time
pieces     the files of a data set about a box, each with its grid
frame      the cells of the result
mosaic     windows of all pieces as one picture
cells      the same in cells of another size
stream     windows in order, some read ahead, in threads or on a cluster
writing    a COG, by way of a temporary name
extracted  what was written
raster     the front door ``extract_raster``
chips      the front door ``clip``: the same for each zone and day
"""

from __future__ import annotations
