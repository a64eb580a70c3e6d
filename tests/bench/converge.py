"""Bring the whole tree up from nothing again and again: `nox -s converge`, or `-- 3` for three times.

Each round destroys the environment, keeps the cache, and bootstraps. It counts what must never
happen: an Application that is not Healthy, a migration that began before its Secret was there, a
pod that waited for a Secret. Writes tests/bench/results/converge.json.
"""

import json
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from ci import settings as all_settings
from tests.bench.machine import RESULTS, described
from tests.e2e.environment import PRODUCT, Environment
from tests.invocation import invoke

ROUNDS = 10
BOOTSTRAP_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Round:
    """One time from nothing: seconds, and what went wrong."""

    seconds: float
    unhealthy: dict[str, tuple[str, str]]
    early_hooks: list[str]
    """Migration Jobs and pods that are older than the Secret they read."""
    waited_for_secret: list[str]
    """Events of pods in the product's namespace that could not mount a Secret or use its keys."""


def main() -> None:
    """Run, print and write; exit code 1 when a round was not clean."""
    assert "SLIPWAY_NAME" in os.environ, "name an environment for this: nox -s converge"
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    rounds = []
    for number in range(1, count + 1):
        rounds.append(once())
        print(f"round {number} of {count}: {rounds[-1]}", flush=True)
    clean = sum(not (each.unhealthy or each.early_hooks or each.waited_for_secret) for each in rounds)
    found = {
        **described(),
        "rounds": count,
        "clean": clean,
        "p50, seconds": round(statistics.median(each.seconds for each in rounds), 1),
        "each": [asdict(each) for each in rounds],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "converge.json").write_text(json.dumps(found, indent=2) + "\n")
    print(f"{clean} of {count} converged without a hook before its Secret")
    sys.exit(clean != count)


def once() -> Round:
    """From nothing to every Application Healthy, and what the cluster says of the way there."""
    invoke("destroy", "--yes", "--keep-cache", seconds=120).succeeded()
    started = time.monotonic()
    invoke("bootstrap", seconds=BOOTSTRAP_SECONDS).succeeded()
    seconds = round(time.monotonic() - started, 1)
    environment = Environment(all_settings.load())
    try:
        return Round(seconds, environment.unhealthy(), early_hooks(environment), waited(environment))
    finally:
        environment.close()


def early_hooks(environment: Environment) -> list[str]:
    """Name what ran the migration before database-secrets was there."""
    secret = environment.core.read_namespaced_secret("database-secrets", PRODUCT).metadata
    found: list[Any] = [environment.batch.read_namespaced_job("migration", PRODUCT)]
    found += environment.core.list_namespaced_pod(PRODUCT, label_selector="job-name=migration").items
    assert len(found) >= 2, "the migration's pod is gone: nothing can be said"
    return [
        f"{each.metadata.name} of {each.metadata.creation_timestamp}, Secret of {secret.creation_timestamp}"
        for each in found
        if each.metadata.creation_timestamp < secret.creation_timestamp
    ]


def waited(environment: Environment) -> list[str]:
    """Events that tell of a Secret that was missing or incomplete."""
    events = environment.core.list_namespaced_event(PRODUCT).items
    return [
        f"{each.involved_object.name}: {each.message}"
        for each in events
        if each.reason in ("FailedMount", "Failed", "CreateContainerConfigError")
        and "secret" in (each.message or "").lower()
    ]


if __name__ == "__main__":
    main()
