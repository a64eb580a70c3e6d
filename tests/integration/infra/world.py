"""The stand-in for AWS as a process of its own, with an account for each test."""

import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from ci.settings import ROOT

_LAUNCH = "import sys, standin.__main__ as stand_in; stand_in.PORT = int(sys.argv[1]); stand_in.main()"
_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)


class World:
    """A running stand-in; `accounts` gives the number of one that nobody used.

    `known` are further operators: account, access key and secret key.
    """

    def __init__(self, folder: Path, region: str, known: Sequence[tuple[str, str, str]] = ()) -> None:
        self.region = region
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        numbers = [f"{number:012}" for number in range(300000000001, 300000000101)]
        self.accounts: Iterator[str] = iter(numbers)
        secrets = folder / "secrets"
        secrets.mkdir()
        keys = [
            {"account": number, "access_key": f"AK{number}", "secret_key": f"SK{number}"}
            for number in numbers
        ]
        keys += [{"account": number, "access_key": key, "secret_key": word} for number, key, word in known]
        (secrets / "operators.json").write_text(json.dumps(keys))
        (secrets / "control").write_text("control")
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, str(self.port)],
            env={
                **os.environ, "SECRETS": str(secrets), "STATE": str(folder / "state"),
                "PYTHONPATH": f"{ROOT / 'ci/supply/images/aws'}:{ROOT}",
            },
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._await(folder / "log")

    def clients(self, account: str) -> Callable[[str], Any]:
        """Clients of the account's operator, as ci.aws makes them."""
        session = boto3.Session(f"AK{account}", f"SK{account}", region_name=self.region)
        url = f"http://127.0.0.1:{self.port}"
        made: dict[str, Any] = {}

        def get(service: str) -> Any:
            if service not in made:
                made[service] = session.client(service, endpoint_url=url, config=_CONFIG)
            return made[service]

        return get

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()

    def _await(self, log: Path) -> None:
        for _ in itertools.repeat(None, 600):
            if '"serving"' in log.read_text():
                return
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"the stand-in does not serve\n{log.read_text()}")
