"""From symptom to cause, by the guide's tables and decision trees.

Asks for read-only commands through a function that it is given; runs, prints and writes nothing itself.
"""
