"""Turn a registry's push notifications into ECR's CloudEvents, in EventBridge's place.

In: the distribution registry's notification envelope, POST to any path of port 8080; answered at
once. Out: one POST to TARGET_URL for each tag that was pushed, in the shape that Image Updater's
documentation gives EventBridge's input transformer. Delivered at least once; after the last try
the event is dropped with a line in the log, and Image Updater's polling has to notice by itself.

Environment: TARGET_URL, ACCOUNT, REGION, REPOSITORIES (comma separated; empty means all),
SECRET_FILE (default /run/secrets/webhook, sent as X-Webhook-Secret).
"""

import http.client
import json
import os
import signal
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PORT = 8080
BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a notification; the registry sends one event at a time, some kilobytes."""

PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try."""

RETRIED = frozenset({401, 407, 409, 429})
"""What EventBridge tries again for an API destination, besides 5xx and no answer."""

WORKERS = 8

MANIFESTS = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    }
)

Post = Callable[[bytes], int]


@dataclass(frozen=True, slots=True)
class Rule:
    """Which pushes become events, and the registry that they are said to come from."""

    account: str
    region: str
    repositories: frozenset[str] = frozenset()


def cloud_events(envelope: Mapping[str, Any], rule: Rule) -> Iterator[dict[str, Any]]:
    """Give one CloudEvent for each tag push in a notification envelope.

    Left out: pulls, deletions, blobs and their mounts, manifests pushed by digest, and
    repositories that the rule does not name.
    """
    for event in envelope.get("events") or ():
        target = event.get("target") or {}
        repository, tag = target.get("repository"), target.get("tag")
        if event.get("action") != "push" or target.get("mediaType") not in MANIFESTS:
            continue
        if not repository or not tag or (rule.repositories and repository not in rule.repositories):
            continue
        yield {
            "specversion": "1.0",
            "id": event.get("id", ""),
            "type": "com.amazon.ecr.image.push",
            "source": f"urn:aws:ecr:{rule.region}:{rule.account}:repository/{repository}",
            "subject": f"{repository}:{tag}",
            "time": event.get("timestamp", ""),
            "datacontenttype": "application/json",
            "data": {
                "repositoryName": repository,
                "imageDigest": target.get("digest", ""),
                "imageTag": tag,
                "registryId": rule.account,
            },
        }


def poster(url: str, secret: str) -> Post:
    """Return a function that POSTs one event and gives the status."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/cloudevents+json", "X-Webhook-Secret": secret}

    def post(body: bytes) -> int:
        connection = kind(parts.hostname or "", parts.port, timeout=10)
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    return post


def deliver(event: Mapping[str, Any], post: Post, pauses: Sequence[float] = PAUSES) -> str:
    """Try until the event is taken or refused; return the outcome for the log."""
    body = json.dumps(event).encode()
    outcome = ""
    for number, pause in enumerate((*pauses, None), start=1):
        try:
            status = post(body)
        except (OSError, http.client.HTTPException) as problem:
            outcome = f"no answer ({type(problem).__name__}), try {number}"
        else:
            outcome = f"answer {status}, try {number}"
            if 200 <= status < 300:
                return outcome
            if status < 500 and status not in RETRIED:
                return f"{outcome}, refused"
        if pause is not None:
            time.sleep(pause)
    return f"{outcome}, dropped"


class Relay:
    """Takes envelopes and delivers their events on threads of its own."""

    def __init__(self, rule: Rule, post: Post, pauses: Sequence[float] = PAUSES) -> None:
        self.rule = rule
        self.post = post
        self.pauses = pauses
        self.workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="deliver")

    def take(self, envelope: Mapping[str, Any]) -> int:
        """Start the delivery of every event in `envelope` and return how many there are."""
        found = list(cloud_events(envelope, self.rule))
        for event in found:
            self.workers.submit(self._deliver, event)
        return len(found)

    def _deliver(self, event: Mapping[str, Any]) -> None:
        started = time.monotonic()
        outcome = deliver(event, self.post, self.pauses)
        log(f"{event['subject']} id={event['id']}: {outcome}, {time.monotonic() - started:.2f} s")


def handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    """Return the HTTP handler in front of `relay`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            self.answer(200 if self.path == "/healthz" else 404)

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > BODY_LIMIT:
                self.close_connection = True
                self.answer(413 if length.isdecimal() else 411)
                return
            try:
                relay.take(json.loads(self.rfile.read(int(length))))
            except (ValueError, AttributeError, TypeError):
                log("refused: not a notification envelope")
                self.answer(400)
                return
            self.answer(202)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing per request; there is one line per event instead."""

    return Handler


def log(text: str) -> None:
    """Write one line to standard output."""
    print(text, flush=True)


def main() -> None:
    """Serve until SIGTERM; deliveries that still try are then dropped."""
    names = os.environ.get("REPOSITORIES", "")
    rule = Rule(
        account=os.environ["ACCOUNT"],
        region=os.environ["REGION"],
        repositories=frozenset(name for name in names.split(",") if name),
    )
    secret = Path(os.environ.get("SECRET_FILE", "/run/secrets/webhook")).read_text().strip()
    target = os.environ["TARGET_URL"]
    server = ThreadingHTTPServer(("", PORT), handler(Relay(rule, poster(target, secret))))
    server.daemon_threads = True
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    log(f"relaying pushes of {names or 'every repository'} to {target}")
    server.serve_forever()
    log("stopped")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
