"""`python -m ledger`: what the container runs."""

import sys

from ledger import logs, server, settings

logs.configure()
try:
    chosen = settings.load()
except settings.Unusable as problem:
    sys.exit(f"error: {problem}\n  fix: set it in the image or in the pod's environment")
server.run(chosen)
