"""Pages: a result as one HTML file that needs no network.

rows ─► grid ─► atlas (outlines, values) ─┐
output ─► account, counts, causes, spread ─┴─► document (HTML + style + modules + data) ─► page
"""
