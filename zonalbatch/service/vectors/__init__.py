"""Features of GeoParquet files, cut by an area."""
