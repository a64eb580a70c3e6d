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
JOB = "migration"
STATE = "slipway.dev/migration-state"
"""Annotation on the Job itself: what became of the run. Argo CD's health check for Jobs reads it."""
LINK = "link.argocd.argoproj.io/migration"
"""Annotation that Argo CD shows as a link. Its change is written to the Application at once."""
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
_SECONDS = 3.0
_MANAGER = "fieldManager=eks-migration"


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
    server = f"https://{shown}:{port}"
    words = f"{server}/api/v1/namespaces/{namespace}/configmaps/{NAME}?{_MANAGER}"
    job = f"{server}/apis/batch/v1/namespaces/{namespace}/jobs/{JOB}?{_MANAGER}"
    repository = env.get("REPOSITORY_URL", "https://localhost").removesuffix(".git")

    def report(journal: Journal) -> None:
        sent = _patch(words, tokens, journal, {"data": data(journal)})
        if sent and journal.state != "running":
            # The run is over: docs/explanation/sync-order.md tells what this is for.
            _patch(job, tokens, journal, {"metadata": {"annotations": marks(journal, repository)}})

    return report


def marks(journal: Journal, repository: str) -> dict[str, str]:
    """Return the annotations that tell Argo CD how the run ended; `repository` is an https URL."""
    return {
        STATE: journal.state,
        LINK: f"migration {journal.version} {journal.state}|{repository}/tree/{journal.version}",
    }


def _patch(url: str, tokens: Path, journal: Journal, body: Mapping[str, object]) -> bool:
    """Merge `body` into an object; a failure is printed and never stops the migration."""
    try:
        request = urllib.request.Request(  # noqa: S310 - always https, built above
            url,
            method="PATCH",
            data=json.dumps(body).encode(),
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
            return True
    except (OSError, ValueError) as problem:
        print(journal.redact(f"report not sent: {problem}"), flush=True)
        return False
