"""Pictures: of results, and what all pictures share.

    rows ─► told (zone × time, what is known of each) ─► a picture on axes ─► file

pictures                         what `Results.plot` offers
told  labels                     values with their dates and why some lack; names for people
series  multiples  heat          a column over time: of some zones, one panel each, of all
histogram  choropleth            a column over zones: how it is distributed, on a map
field  sheet  scenes  thinning   pixels: of a zone, of all scenes of a period
style  panels  writing           colours, axes of dates, several panels; a file
"""

from __future__ import annotations

from zonalbatch.pictures.writing import check_matplotlib, check_picture, write_picture

__all__ = ["check_matplotlib", "check_picture", "write_picture"]
