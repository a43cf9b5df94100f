"""Notebooks: what objects look like in Jupyter, and how a run tells there what it does."""
