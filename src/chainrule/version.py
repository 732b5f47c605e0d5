"""The version: the build reads it here, too, so that nobody has to look it up in the installed metadata."""

__version__ = "0.1.0"
