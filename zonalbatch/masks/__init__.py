"""Masks: which cells the user does not want.

legend     what raw values and bits of a band are called, as items say
mask       which cells a mask means: classes, bits, thresholds, missing values
dilation   cells within some metres of others (kernel)
held       which values and bits a band's type can have
masking    masks at cells, and as they grow
arguments  what ``mask`` may be given, in a call as in a job file
"""

from __future__ import annotations
