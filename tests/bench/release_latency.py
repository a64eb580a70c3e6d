"""Measure what a release costs: `nox -s bench`, or `python -m tests.bench.release_latency` by hand.

Ten releases in a row, from the moment the app's tag is published until all pods serve the new
version; beside it the same with the events relay stopped, so that Image Updater finds the tag by
polling as it does where nobody set up events; the second bootstrap; and the memory of it all.
Writes tests/bench/results/release-latency.json.
"""

import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from ci import settings as all_settings
from tests.bench.machine import RESULTS, described, out
from tests.e2e.checkout import Checkout
from tests.e2e.environment import Environment, until

RELEASES = 10
POLLED = 2
"""By polling, each takes up to two minutes; two show the order of magnitude."""


def main() -> None:
    """Measure, print and write."""
    assert "SLIPWAY_NAME" in os.environ, "name an environment for this: nox -s bench"
    environment = Environment(all_settings.load())
    environment.settle()
    found: dict[str, Any] = {
        **described(),
        "second bootstrap, seconds": second_bootstrap(environment),
    }
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(Path(folder) / "slipway")
        found["events, seconds"] = series(environment, checkout, RELEASES)
        with _relay_stopped(environment):
            found["polling, seconds"] = series(environment, checkout, POLLED)
    found["memory, MiB"] = memory(environment)
    environment.close()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "release-latency.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def second_bootstrap(environment: Environment) -> float:
    """Seconds of a bootstrap that has nothing to do."""
    started = time.monotonic()
    environment.invoke("bootstrap", seconds=300).succeeded()
    return round(time.monotonic() - started, 1)


def series(environment: Environment, checkout: Checkout, count: int) -> dict[str, Any]:
    """Release `count` times and sum up, in seconds."""
    times = [one(environment, checkout, number) for number in range(count)]
    ordered = sorted(times)
    return {
        "p50": round(statistics.median(ordered), 1),
        # The nearest rank: of ten, the slowest.
        "p95": ordered[max(0, -(-95 * count // 100) - 1)],
        "each": times,
    }


def one(environment: Environment, checkout: Checkout, number: int) -> float:
    """Release once, migration included; seconds from the app's tag to every pod serving it."""
    environment.settle()
    version = environment.next_version()
    checkout.add_revision(f"bench {number}", "COMMENT ON TABLE entries IS 'bench'")
    running = environment.start("release", "--version", version, "--no-wait", cwd=checkout.folder)
    until(lambda: _tagged(environment, version), "the tag was not published", 300, every=0.02)
    published = time.monotonic()
    until(lambda: _served(environment, version), f"{version} does not serve", 400, every=0.1)
    seconds = round(time.monotonic() - published, 1)
    running.wait(60).succeeded()
    print(f"{version}: {seconds} s", flush=True)
    return seconds


def _tagged(environment: Environment, version: str) -> bool | None:
    answer = environment.registry.head(
        f"/v2/eks-app/manifests/{version}", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"}
    )
    return True if answer.status_code == 200 else None


def _served(environment: Environment, version: str) -> bool | None:
    """Whether two pods are ready and every pod that takes requests has the version."""
    serving = [pod for pod in environment.pods() if not pod.leaving]
    good = [pod for pod in serving if pod.ready and set(pod.tags.values()) == {version}]
    return True if len(good) == len(serving) >= 2 and environment.version()["version"] == version else None


class _relay_stopped:  # noqa: N801 - used as a statement
    """Without the relay nobody tells Image Updater; git's webhook stays."""

    def __init__(self, environment: Environment) -> None:
        self.container = environment.settings.container("events")

    def __enter__(self) -> None:
        out("docker", "stop", self.container)

    def __exit__(self, *_: object) -> None:
        out("docker", "start", self.container)


def memory(environment: Environment) -> dict[str, float]:
    """MiB by container, and their sum: cgroup usage without the page cache, as `docker stats` has it."""
    names = [name.lstrip("/") for name in environment.containers()]
    lines = out("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names).splitlines()
    found = {line.split()[0]: _mib(line.split()[1]) for line in lines}
    return {**found, "sum": round(sum(found.values()), 1)}


def _mib(text: str) -> float:
    for unit, factor in (("GiB", 1024.0), ("MiB", 1.0), ("KiB", 1 / 1024), ("B", 1 / 2**20)):
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * factor, 1)
    raise ValueError(text)


if __name__ == "__main__":
    main()
