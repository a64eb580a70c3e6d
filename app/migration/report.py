"""The report for people: ConfigMap migration-report, which outlives the Job and its pod."""

import json
import os
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from migration.journal import Journal

Report = Callable[[Journal], None]

NAME = "migration-report"
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
_SECONDS = 3.0


def data(journal: Journal) -> dict[str, str | None]:
    """Return the ConfigMap's data; None removes a key that an earlier run left."""
    return {
        "version": journal.version,
        "state": journal.state,
        "message": journal.message,
        "revision": journal.revision,
        "startedAt": journal.started,
        "finishedAt": journal.finished,
    }


def reporter(env: Mapping[str, str] = os.environ) -> Report:
    """Return what reports to the cluster this runs in, or nothing outside of one."""
    tokens = Path(env.get("SERVICE_ACCOUNT_DIR", TOKENS))
    host = env.get("KUBERNETES_SERVICE_HOST")
    if not host or not (tokens / "token").exists():
        return lambda journal: None
    port = env.get("KUBERNETES_SERVICE_PORT", "443")
    shown = f"[{host}]" if ":" in host else host
    namespace = (tokens / "namespace").read_text().strip()
    url = f"https://{shown}:{port}/api/v1/namespaces/{namespace}/configmaps/{NAME}"
    return lambda journal: _patch(f"{url}?fieldManager=eks-migration", tokens, journal)


def _patch(url: str, tokens: Path, journal: Journal) -> None:
    """Send the report; a failure is printed and never stops the migration."""
    try:
        request = urllib.request.Request(  # noqa: S310 - always https, built above
            url,
            method="PATCH",
            data=json.dumps({"data": data(journal)}).encode(),
            headers={
                "Content-Type": "application/merge-patch+json",
                "Authorization": f"Bearer {(tokens / 'token').read_text().strip()}",
            },
        )
        trust = ssl.create_default_context(cafile=str(tokens / "ca.crt"))
        # The API server is inside; a proxy of the environment is not for it.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        with opener.open(request, timeout=_SECONDS):
            pass
    except (OSError, ValueError) as problem:
        print(journal.redact(f"report not sent: {problem}"), flush=True)
