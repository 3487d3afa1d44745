"""The version, where setuptools can read it without importing anything."""

__version__ = "1.1.0"
