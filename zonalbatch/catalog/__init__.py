"""Catalog: data sets by name, as ``provider:variable``.

datasets/  one readable file for each provider: where it lies, what it holds, on what terms
document   what such a file says, checked
named      the data set of a name: ours, the user's folders and files, other packages'
expanded   jobs over data sets as jobs over what these stand for
"""

from __future__ import annotations
