"""Pictures of rasters, for the page."""
