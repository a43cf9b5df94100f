"""Places: where outputs lie, in a folder or in a bucket; files appear whole or not at all."""

from zonalbatch.places.place import Place, place_of

__all__ = ["Place", "place_of"]
