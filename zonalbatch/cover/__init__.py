"""How much of each cell each zone covers, and what the cells hold."""
