"""Backends: one file each, with one constant `BACKEND`, found by name without the others.

In: a call that is ready to send. Out: an answer, or one of the errors of `eyechart.errors`.
"""
