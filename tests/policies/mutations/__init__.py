"""Mutation proof: one mistake at a time in a copy of the real tree, and validate must name its file."""
