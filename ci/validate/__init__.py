"""`nox -s validate`: every checker side by side on one tree, one verdict.

Each part is a function from a Tree to findings; what it says about unchanged input is kept in the cache.
"""
