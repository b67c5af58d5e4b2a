"""The command line, on top of the public names."""

from deepplp.cli.app import main

__all__ = ["main"]
