"""Kubernetes objects as the API gives them, with what the tests need."""

from typing import Any

Object = dict[str, Any]
REGISTRY = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"


def pod(name: str, app: str, web: str = "", ready: bool = True, **changes: Any) -> Object:
    """A product pod; `waiting` is a reason, `digests` the images' digests by container."""
    digests = changes.get("digests", {})
    waiting = changes.get("waiting")
    state: Object = {"waiting": {"reason": waiting, "message": "why"}} if waiting else {"running": {}}
    metadata: Object = {"name": name, "creationTimestamp": "2026-11-24T03:00:00Z"}
    if changes.get("leaving"):
        metadata["deletionTimestamp"] = "2026-11-24T03:01:00Z"
    tags = {"app": app, "web": web or app}
    return {
        "metadata": metadata,
        "spec": {
            "containers": [
                {"name": part, "image": f"{REGISTRY}/eks-{part}:{tag}"} for part, tag in tags.items()
            ]
        },
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [
                {
                    "name": part,
                    "ready": ready,
                    "restartCount": changes.get("restarts", 0),
                    "state": state,
                    "image": "sha256:whatever",
                    "imageID": f"{REGISTRY}/eks-{part}@{digests[part]}" if part in digests else "",
                }
                for part in tags
            ],
        },
    }


def job(version: str, **status: Any) -> Object:
    """The migration Job."""
    image = f"{REGISTRY}/eks-migration:{version}"
    return {
        "metadata": {"name": "migration"},
        "spec": {"template": {"spec": {"containers": [{"name": "migration", "image": image}]}}},
        "status": status,
    }


def failed(reason: str, message: str) -> list[Object]:
    """Conditions of a failed Job."""
    return [{"type": "Failed", "status": "True", "reason": reason, "message": message}]


def report(version: str, state: str, message: str = "", revision: str = "") -> Object:
    """ConfigMap migration-report."""
    return {"data": {"version": version, "state": state, "message": message, "revision": revision}}


def application(phase: str = "", revision: str = "", message: str = "", hook: str = "") -> Object:
    """Application `main` after an operation; `hook` is the version of its migration hook."""
    resources = [
        {
            "kind": "Job",
            "name": "migration",
            "hookPhase": phase,
            "images": [f"{REGISTRY}/eks-migration:{hook}"],
        }
    ]
    return {
        "metadata": {"name": "main"},
        "status": {
            "sync": {"status": "OutOfSync"},
            "health": {"status": "Healthy"},
            "operationState": {
                "phase": phase,
                "message": message,
                "syncResult": {"revision": revision, "resources": resources if hook else []},
            },
        },
    }
