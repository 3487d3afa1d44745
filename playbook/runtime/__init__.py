"""Carrying the guide out, on a cluster or from a recording.

The only package that runs anything; `live` is the only module that imports `sh`. Prints nothing.
"""
