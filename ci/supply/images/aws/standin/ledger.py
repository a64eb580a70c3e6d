"""moto, reached through one door that writes down every change and can do them all again.

The journal holds requests, not results. Done again in their order they bring the same state back, with
the same ids, because moto's random numbers are seeded before each by its number and a key of this
volume. What CloudFormation's engine does through moto belongs to the engine's one record.
"""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import disk, wire
from .journal import Journal, Record, Target

__all__ = ["Broken", "Ledger", "Replayed", "Target"]

_T = TypeVar("_T")
_KEY = "journal.key"
_READS = re.compile(
    r"(BatchCheck|BatchGet|Check|Decode|Describe|Estimate|Filter|Get|Head|List|Lookup|Preview|Query|Scan|Search|"
    r"Select|Simulate|Test|Validate|Verify)"
)
_ACCESS_KEY = "SLIPWAYGATE000000000"
_DROPPED = ("authorization", "x-amz-security-token", "user-agent", "host", "x-amz-content-sha256")


class Broken(Exception):
    """moto could not answer at all: it lacks the operation (status 501), or has a fault of its own (500)."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Replayed:
    """How a replay went: records in all, and those that were not taken this time."""

    records: int
    failed: tuple[str, ...]


@dataclass(slots=True)
class _Change:
    """The change of the engine's that is being made, or made again: it is one record in the end."""

    number: int
    time: float
    known: list[str]
    drawn: list[str] = field(default_factory=list)
    steps: int = 0


class Ledger:
    """The only way to moto. One call at a time: moto is not made for several."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._journal = Journal(folder)
        self._key = _key(folder / _KEY)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._clock = clock
        self._next = 1
        self._lock = threading.RLock()
        self._prepared: set[tuple[str, str]] = set()
        self._change: _Change | None = None

    @contextmanager
    def held(self, account: str, region: str) -> Iterator[None]:
        """Keep moto still, with what an account has from the start there to be read."""
        with self._lock:
            if (account, region) not in self._prepared:
                self._prepare(account, region)
            yield

    def now(self) -> float:
        """Return the time of the change that is being made; in a replay, the time it was first made."""
        change = self._change
        return self._clock() if change is None else change.time

    def replay(self, engine: Callable[[wire.Request, Target], object]) -> Replayed:
        """Do again everything that the journal holds; to be called once, before anything else.

        `engine` takes the records of CloudFormation.
        """
        failed, records = [], list(self._journal)
        for record in records:
            target = record.target
            with self.held(target.account, target.region):
                try:
                    taken = self._again(record, engine)
                except Exception as error:  # noqa: BLE001 - whatever it is, the other records still count
                    taken = f"{type(error).__name__}: {error}"
            if taken:
                failed.append(f"{target.service}:{target.operation} (record {record.number}): {taken}")
            self._next = record.number + 1
        return Replayed(len(records), tuple(failed))

    def call(self, request: wire.Request, target: Target) -> wire.Response:
        """Hand a request to moto; what changed something is on the disk before its answer is returned."""
        with self.held(target.account, target.region):
            if self._change is not None:
                return self._step(self._change, request, target)
            if _READS.match(target.operation):
                return self._ask(request, target)
            number = self._next
            answer = self._ask(request, target, seed=str(number))
            if answer.status < 300:
                self._keep(Record(number, self._clock(), target, request.without(*_DROPPED)))
            return answer

    def change(self, request: wire.Request, target: Target, make: Callable[[], _T]) -> _T:
        """Have the engine make one change, all of whose calls to moto belong to this one record.

        One that raises is not written down.
        """
        with self.held(target.account, target.region):
            if _READS.match(target.operation):
                return make()
            change = _Change(self._next, self._clock(), [])
            result = self._within(change, make)
            self._keep(
                Record(change.number, change.time, target, request.without(*_DROPPED), tuple(change.drawn))
            )
            return result

    def _within(self, change: _Change, make: Callable[[], _T]) -> _T:
        self._change = change
        try:
            return make()
        finally:
            self._change = None

    def _again(self, record: Record, engine: Callable[[wire.Request, Target], object]) -> str:
        """Make a change again; return what was wrong with it."""
        if record.target.service == "cloudformation":
            change = _Change(record.number, record.time, list(record.drawn))
            self._within(change, lambda: engine(record.request, record.target))
            return ""
        answer = self._ask(record.request, record.target, seed=str(record.number))
        return "" if answer.status < 300 else f"status {answer.status}"

    def _step(self, change: _Change, request: wire.Request, target: Target) -> wire.Response:
        """Make one of the engine's calls. A password is drawn once; later it is the one that was drawn."""
        change.steps += 1
        answer = self._ask(request, target, seed=f"{change.number}/{change.steps}")
        if target.operation == "GetRandomPassword":
            text = change.known.pop(0) if change.known else answer.body.decode()
            change.drawn.append(text)
            return wire.Response(answer.status, text.encode(), answer.headers)
        return answer

    def _keep(self, record: Record) -> None:
        self._journal.add(record)
        self._next = record.number + 1

    def _ask(self, request: wire.Request, target: Target, seed: str | None = None) -> wire.Response:
        addressed = _addressed(request, target)
        try:
            # A service's first application makes things of its own; the seed comes after it.
            self._moto.get_application(wire.environment(addressed))
            if seed is not None:
                self._seed(seed)
            return wire.call(self._moto, addressed)
        except NotImplementedError as error:
            words = f"The stand-in for AWS has no {target.service}:{target.operation}: {error}"
            raise Broken(words, 501) from error
        except Exception as error:  # moto's own faults may be anything
            words = f"moto failed on {target.service}:{target.operation}: {type(error).__name__}: {error}"
            raise Broken(words, 500) from error

    def _prepare(self, account: str, region: str) -> None:
        """Have moto make an account's default things (its VPC, its keys) at once, always with the same ids.

        It would make them at the first look, and nobody knows what was asked before that.
        """
        for name, backends, where in (
            ("iam", iam_backends, "aws"), ("ec2", ec2_backends, region), ("kms", kms_backends, region),
        ):  # fmt: skip
            self._seed(f"{name}/{account}/{where}")
            backends[account][where]
        self._prepared.add((account, region))

    def _seed(self, what: str) -> None:
        seed = hmac.digest(self._key, what.encode(), hashlib.sha256)
        mock_random.seed(int.from_bytes(seed, "big"))


def _addressed(request: wire.Request, target: Target) -> wire.Request:
    """Address a request for moto: by its host and a signature's scope, unsigned, for one account."""
    scope = f"{_ACCESS_KEY}/{time.strftime('%Y%m%d', time.gmtime())}/{target.region}/{target.service}"
    query = "&".join(part for part in request.query.split("&") if not part.startswith("X-Amz-"))
    kept = request.without(
        *_DROPPED,
        host=f"{target.service}.{target.region}.amazonaws.com",
        authorization=f"AWS4-HMAC-SHA256 Credential={scope}/aws4_request, SignedHeaders=host, Signature=0",
        x_moto_account_id=target.account,
    )
    return wire.Request(kept.method, kept.path, query, kept.headers, kept.body, kept.remote)


def _key(path: Path) -> bytes:
    """A key of this volume's own, so that nobody who reads the sources can foretell a password."""
    if not path.exists():
        disk.write(path, secrets.token_bytes(32))
    return path.read_bytes()
