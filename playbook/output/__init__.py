"""A session as text or file, one module for each form.

Makes text and bytes; prints nothing, runs nothing, asks no cluster.
"""
