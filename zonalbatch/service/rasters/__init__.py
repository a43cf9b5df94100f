"""Areas on rasters: one on one, and many on many."""
