"""Serve. Everything comes from files: secrets under /run/secrets, state under /var/lib/slipway-aws.

`operators.json` ([{access_key, secret_key, account}]), `control` (bearer secret of the control
plane), `registry.json` ({login: password} of the static logins). Environment: DISTRIBUTION, the
registry behind the front (HOST:PORT); SECRETS and STATE, other folders.
"""

import datetime as dt
import importlib
import importlib.util
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

os.environ.update(
    # moto reads these while it is imported. CORS answers are for browsers; AWS's managed policies
    # exist in every account; certificates do not wait a minute.
    MOTO_DISABLE_GLOBAL_CORS="true",
    MOTO_IAM_LOAD_MANAGED_POLICIES="true",
    MOTO_ACM_VALIDATION_WAIT="1",
)

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from .clients import Clients
from .control import Control
from .faults import Faults
from .gate import Gate, Key
from .ledger import Ledger
from .principals import Operator
from .registry import RegistryGate
from .stacks import Engine, Stacks
from .state import State

PORT = 4566


class _Handler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the gate writes a line about each request that says more."""


def build(secrets: Path, state_folder: Path, distribution: str) -> Gate:
    """Bring the state back and return the application."""
    state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ledger = Ledger(state_folder)
    stacks = Stacks(_engine(ledger), ledger)
    replayed = ledger.replay(stacks.again)
    for failure in replayed.failed:
        print(json.dumps({"error": "a change could not be done again", "what": failure}), flush=True)
    state, faults = State(state_folder), Faults()
    logins = json.loads(_read(secrets / "registry.json") or "{}")
    registry = RegistryGate(state, ledger, faults, logins, distribution)
    control = Control(state, faults, registry, _read(secrets / "control").strip(), replayed)
    keys = [
        Key(Operator(entry["account"], entry["access_key"]), entry["secret_key"])
        for entry in json.loads(_read(secrets / "operators.json"))
    ]
    return Gate(keys, state, ledger, stacks, faults, control)


def _engine(ledger: Ledger) -> Engine | None:
    name = f"{__package__}.cloudformation"
    if importlib.util.find_spec(name) is None:
        return None
    made: Any = importlib.import_module(name)
    engine: Engine = made.CloudFormation(
        Clients(ledger), clock=lambda: dt.datetime.fromtimestamp(ledger.now(), dt.UTC)
    )
    return engine


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def main() -> None:
    """Serve until SIGTERM."""
    gate = build(
        Path(os.environ.get("SECRETS", "/run/secrets")),
        Path(os.environ.get("STATE", "/var/lib/slipway-aws")),
        os.environ.get("DISTRIBUTION", ""),
    )
    server = make_server("0.0.0.0", PORT, gate, threaded=True, request_handler=_Handler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(json.dumps({"serving": PORT}), flush=True)
    server.serve_forever()
    print(json.dumps({"stopped": PORT}), flush=True)
    sys.stdout.flush()
    os._exit(0)  # what is answered is on the disk; what still waits in a delay is not waited for


if __name__ == "__main__":
    main()
