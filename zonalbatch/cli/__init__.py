"""The command line: one module for each kind of command."""

from zonalbatch.cli.app import app, main

__all__ = ["app", "main"]
