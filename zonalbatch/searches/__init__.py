"""Searches: items from a STAC API, where zones lie.

addresses  URLs, and the names of well-known ones
question   what is asked beside the place
area       where zones lie: small boxes that hold them, few boxes to ask for
connection requests that are tried again, pages that are checked
service    one API: what it can do, what it finds
answer     the items of a search, each once; the front door ``search``
census     what was found, by collection
files      items written
picture    dates against cloud cover
"""

from __future__ import annotations
