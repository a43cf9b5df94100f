"""The way out: which hosts workers reach, and the proxy by which they leave."""
