"""`python -m ci.supply NAME...`: have components ready, for sessions that need only some."""

import sys

from ci import settings, supply
from ci.local import engine
from ci.problem import Problem

try:
    loaded = settings.load()
    engine.ensure(loaded)
    supply.ensure(loaded, sys.argv[1:])
except Problem as problem:
    print(problem, file=sys.stderr)
    raise SystemExit(1) from None
