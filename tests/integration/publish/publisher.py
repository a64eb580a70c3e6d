"""Publish in a process of its own, so that a test can kill it: publisher.py SETTINGS SOURCE VERSION."""

import dataclasses
import json
import sys
from pathlib import Path

from ci.problem import Problem
from ci.publish import publish
from ci.settings import Settings, wiring

given = json.loads(sys.argv[1])
local = dataclasses.replace(wiring("local"), registry=given["registry"])
settings = Settings(given["name"], given["port"], local, Path(given["cache"]))
try:
    publish(settings, sys.argv[3], Path(sys.argv[2]), building=False)
except Problem as problem:
    print(problem, file=sys.stderr)
    sys.exit(1)
