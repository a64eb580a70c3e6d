"""Send GitHub's push webhook for every ref that a push has moved.

Started by the post-receive hook as a process of its own; reads the hook's lines `OLD NEW REF`.
The target is named in /etc/slipway/webhook-url, the HMAC key in /run/secrets/webhook.
"""

import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

URL_FILE = Path("/etc/slipway/webhook-url")
SECRET_FILE = Path("/run/secrets/webhook")
ROOT = Path("/srv/git")
HOST = "github.com"
NONE = "0" * 40
"""What git says for a ref that is not there."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try; GitHub itself tries once."""

COMMITS_SHOWN = 2048
"""GitHub's limit of commits in one payload."""

Post = Callable[[str, bytes, dict[str, str]], int]


def git(*args: str) -> str:
    """Run git in the current repository and return what it said."""
    done = subprocess.run(("git", *args), capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


def is_ancestor(old: str, new: str) -> bool:
    """Whether `new` builds on `old`."""
    done = subprocess.run(("git", "merge-base", "--is-ancestor", old, new), capture_output=True, check=False)
    return done.returncode == 0


def commits(old: str, new: str, ref: str) -> list[dict[str, Any]]:
    """List what a push brought, oldest first, with the files that each commit touched.

    For a new ref these are the commits that no other ref has.
    """
    if new == NONE:
        return []
    known = ("--not", f"--exclude={ref}", "--glob=refs/*") if old == NONE else ("--not", old)
    fields = "%x01%H%x00%T%x00%aI%x00%an%x00%ae%x00%cn%x00%ce%x00%B%x00"
    text = git(
        "log", "-z", f"--max-count={COMMITS_SHOWN}", "--no-renames", "--diff-merges=first-parent",
        "--name-status", f"--format=tformat:{fields}", new, *known, "--",
    )  # fmt: skip
    return [_commit(part) for part in reversed(text.split("\x01")[1:])]


def _commit(text: str) -> dict[str, Any]:
    sha, tree, date, author, mail, committer, committer_mail, message, *rest = text.split("\0")
    touched: dict[str, list[str]] = {"A": [], "D": [], "M": []}
    words = [word.lstrip("\n") for word in rest]
    words = [word for word in words if word]
    for status, path in zip(words[::2], words[1::2], strict=False):
        touched.get(status[0], touched["M"]).append(path)
    return {
        "id": sha,
        "tree_id": tree,
        "distinct": True,
        "message": message.rstrip("\n"),
        "timestamp": date,
        "author": {"name": author, "email": mail},
        "committer": {"name": committer, "email": committer_mail},
        "added": touched["A"],
        "removed": touched["D"],
        "modified": touched["M"],
    }


def payload(full_name: str, pusher: str, old: str, new: str, ref: str) -> dict[str, Any]:
    """Build GitHub's push payload for one moved ref of the current repository."""
    owner, name = full_name.split("/")
    url = f"https://{HOST}/{full_name}"
    brought = commits(old, new, ref)
    forced = NONE not in (old, new) and not is_ancestor(old, new)
    return {
        "ref": ref,
        "before": old,
        "after": new,
        "created": old == NONE,
        "deleted": new == NONE,
        "forced": forced,
        "base_ref": None,
        "compare": f"{url}/compare/{old[:12]}...{new[:12]}",
        "commits": brought,
        "head_commit": brought[-1] if brought else None,
        "repository": {
            "name": name,
            "full_name": full_name,
            "owner": {"login": owner, "name": owner},
            "private": False,
            "html_url": url,
            "url": url,
            "clone_url": f"{url}.git",
            "default_branch": "main",
            "master_branch": "main",
        },
        "pusher": {"name": pusher, "email": f"{pusher}@users.noreply.{HOST}"},
        "sender": {"login": pusher},
    }


def request(body: bytes, secret: bytes) -> dict[str, str]:
    """Name the headers that GitHub sends with `body`."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/slipway",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
    }


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """POST once and return the status; OSError or HTTPException when there is no answer in 10 s."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=10)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path or "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def deliver(
    url: str,
    body: bytes,
    headers: dict[str, str],
    send: Post = post,
    pauses: Sequence[float] = PAUSES,
) -> str:
    """Try until the receiver takes the event or refuses it; return the outcome for the log."""
    outcome = ""
    for number, pause in enumerate((*pauses, None), start=1):
        try:
            status = send(url, body, headers)
        except (OSError, http.client.HTTPException) as problem:
            outcome = f"no answer ({type(problem).__name__}), try {number}"
        else:
            outcome = f"answer {status}, try {number}"
            if status < 500 and status != 429:
                return outcome
        if pause is not None:
            time.sleep(pause)
    return f"{outcome}, given up"


def main() -> None:
    """Send one delivery for each line of standard input."""
    url = URL_FILE.read_text().strip()
    secret = SECRET_FILE.read_bytes().strip()
    full_name = Path.cwd().resolve().relative_to(ROOT).as_posix().removesuffix(".git")
    for line in sys.stdin.read().splitlines():
        old, new, ref = line.split(" ", 2)
        event = payload(full_name, os.environ.get("REMOTE_USER") or "unknown", old, new, ref)
        body = json.dumps(event).encode()
        headers = request(body, secret)
        outcome = deliver(url, body, headers)
        print(f"webhook {headers['X-GitHub-Delivery']} {full_name} {ref} {new[:12]}: {outcome}", flush=True)


if __name__ == "__main__":
    main()
