"""kubectl's text as typed values: rows, levels of log records, events, kinds of failure.

Pure functions of text. Nothing here knows a step, runs, prints or writes.
"""
