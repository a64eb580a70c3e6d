"""What happens while a release is under way: pods sampled, and writes that go on."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from ci.local import edge
from tests.e2e.environment import Environment, Job, Pod


class Observer(threading.Thread):
    """A thread for the time of a `with` block; an error in it fails the test."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self.error: BaseException | None = None

    def once(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what the thread used."""

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self.once()
        except BaseException as error:  # noqa: BLE001 - it is raised again in the test's thread
            self.error = error

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.join(30)
        self.close()
        if self.error is not None and error is None:
            raise self.error


@dataclass(frozen=True, slots=True)
class Sample:
    """All pods of the product, and the migration Job a moment later."""

    time: float
    pods: list[Pod]
    job: Job | None


class Pods(Observer):
    """Samples pods and Job ten times a second."""

    INTERVAL = 0.1

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        # A connection of its own: the client is not made for two threads.
        self.environment = Environment(environment.settings)
        self.samples: list[Sample] = []

    def once(self) -> None:
        began = time.monotonic()
        self.samples.append(Sample(began, self.environment.pods(), self.environment.job()))
        self.stopping.wait(max(0.0, began + self.INTERVAL - time.monotonic()))

    def close(self) -> None:
        self.environment.close()

    @property
    def rate(self) -> float:
        """Samples per second that were really taken."""
        return (len(self.samples) - 1) / (self.samples[-1].time - self.samples[0].time)

    def check(self, old: str, new: str) -> None:
        """Nothing mixed, nothing early, never too few."""
        assert self.rate >= 7, f"only {self.rate:.1f} samples/s: too few to say anything"
        for sample in self.samples:
            for pod in sample.pods:
                assert len(set(pod.tags.values())) == 1, f"mixed pod: {pod}"
                assert set(pod.tags.values()) <= {old, new}, f"neither {old} nor {new}: {pod}"
                if new in pod.tags.values():
                    # The pods were listed first, so the migration must be done by now if it was done then.
                    assert sample.job is not None, f"a pod of {new} without its migration"
                    assert (sample.job.tag, sample.job.said) == (new, "succeeded"), (
                        f"{pod} before {sample.job}"
                    )
            serving = [pod for pod in sample.pods if pod.ready and not pod.leaving]
            assert len(serving) >= 2, f"only {len(serving)} ready pods: {sample.pods}"
        assert any(new in pod.tags.values() for pod in self.samples[-1].pods)


@dataclass
class Writes:
    """What was sent and what came back; `failed` says how."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Writer(Observer):
    """Adds entries, about twenty a second, and looks at the page in between.

    Each request has a connection of its own: on a kept one, a request may cross the server's
    goodbye, which HTTP leaves to the client and tells nothing about the release.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self.settings = environment.settings
        self.writes = Writes()
        self.versions: set[str] = set()

    def once(self) -> None:
        key = uuid.uuid4().hex
        number = len(self.writes.acknowledged) + 1
        try:
            self._add(key, number)
            self._read()
        except httpx.HTTPError as error:
            self.writes.failed.append(f"{time.strftime('%X')} {type(error).__name__}: {error}")
        self.stopping.wait(0.04)

    def _add(self, key: str, number: int) -> None:
        body = {"description": f"during a release {number}", "amount": number}
        with edge.client(self.settings) as product:
            answer = product.post("/api/entries", headers={"Idempotency-Key": key}, json=body)
        if answer.status_code == 201:
            self.writes.acknowledged[key] = number
        else:
            self.writes.failed.append(f"{time.strftime('%X')} POST {answer.status_code}: {answer.text[:200]}")

    def _read(self) -> None:
        with edge.client(self.settings) as product:
            answer = product.get("/version.json")
        if answer.status_code == 200:
            self.versions.add(answer.json()["version"])
        else:
            self.writes.failed.append(f"{time.strftime('%X')} GET {answer.status_code}: {answer.text[:200]}")

    def check(self, environment: Environment) -> None:
        """Every acknowledged write is in the database, once, as it was sent, and no request failed."""
        assert self.writes.failed == []
        assert len(self.writes.acknowledged) > 20
        rows = environment.query("SELECT idempotency_key, amount FROM entries")
        stored = dict(rows)
        assert len(stored) == len(rows)
        lost = {key for key, amount in self.writes.acknowledged.items() if stored.get(key) != amount}
        assert lost == set(), f"{len(lost)} of {len(self.writes.acknowledged)} acknowledged writes are lost"
