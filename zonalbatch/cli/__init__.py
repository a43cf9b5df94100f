"""The command line: one module for each kind of command."""

from importlib import import_module

from zonalbatch.cli.interruption import interruptible

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C is heard from here on, also while all else is imported."""
    with interruptible() as interruption:
        import_module("zonalbatch.cli.app").answer(interruption)
