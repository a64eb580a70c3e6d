"""What no linter sees: questions to the whole system, asked of sources and rendered manifests.

`loader.read` collects the files; everything else is pure. `engine.check` answers with findings.
"""
