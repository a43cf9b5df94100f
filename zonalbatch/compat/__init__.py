"""Other tools' interfaces over this engine: change one import, keep the code."""
