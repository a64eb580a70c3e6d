"""The door to Kubernetes: plain objects in and out, short timeouts, and Problem for no cluster."""

import contextlib
import importlib
import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

from ci.problem import Problem
from ci.settings import Settings

Object = dict[str, Any]
"""A Kubernetes object as the API gives it."""

POD, JOB, EVENT, CONFIG_MAP = "v1/Pod", "batch/v1/Job", "v1/Event", "v1/ConfigMap"
DEPLOYMENT, APPLICATION = "apps/v1/Deployment", "argoproj.io/v1alpha1/Application"
_TIMEOUT = (3.0, 20.0)
"""Seconds to connect, and to wait for an answer: an API server on this machine needs neither."""
_ESTABLISHED_SECONDS = 30.0


class NoCluster(Problem):
    """The API server does not answer; a wait may go on, a command ends."""


class Refused(Problem):
    """The API server answered with an error; `status` is its HTTP status."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what, fix="look at: invoke status")
        self.status = status


class Cluster:
    """The environment's cluster. A kind is written `v1/Pod`, `apps/v1/Deployment`."""

    def __init__(self, settings: Settings) -> None:
        """Connect with the environment's kubeconfig; Problem where there is no cluster."""
        self._name = settings.name
        if not settings.kubeconfig.is_file():
            raise self._absent("it was not created")
        # Imported here, and as Any: the package takes most of a second to load and has no
        # complete types.
        client: Any = importlib.import_module("kubernetes.client")
        config: Any = importlib.import_module("kubernetes.config")
        dynamic: Any = importlib.import_module("kubernetes.dynamic")
        self._errors: Any = importlib.import_module("kubernetes.client.exceptions")
        self._unknown: Any = importlib.import_module("kubernetes.dynamic.exceptions")
        self._broken: Any = config.ConfigException
        self._network: Any = importlib.import_module("urllib3.exceptions")

        class Client(dynamic.DynamicClient):  # type: ignore[misc]  # the base class is Any
            def request(self, method: str, path: str, body: Any = None, **parameters: Any) -> Any:
                parameters.setdefault("_request_timeout", _TIMEOUT)
                return super().request(method, path, body=body, **parameters)

        with self._translated():
            access = client.Configuration()
            access.retries = False
            config.load_kube_config(
                str(settings.kubeconfig), client_configuration=access, persist_config=False
            )
            # Discovery is kept beside the kubeconfig: in /tmp another cluster's could be found.
            cache = settings.kubeconfig.with_name("discovery.json")
            self._client: Any = Client(client.ApiClient(access), cache_file=str(cache))

    def version(self) -> str:
        """Return the API server's version, `v1.36.3`; Problem where it does not answer."""
        return str(self._raw("GET", "/version")["gitVersion"])

    def token_issuer(self) -> tuple[str, dict[str, Any]]:
        """Return the issuer of ServiceAccount tokens and its public keys as a JWKS."""
        known = self._raw("GET", "/.well-known/openid-configuration")
        return str(known["issuer"]), dict(
            self._raw("GET", "/openid/v1/jwks", accept="application/jwk-set+json")
        )

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return one object, or None where it or its kind does not exist."""
        try:
            return self._call(kind, "get", name=name, namespace=namespace)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def list(
        self, kind: str, namespace: str | None = None, selector: str = "", fields: str = ""
    ) -> list[Object]:
        """Return the objects of `kind`, by label selector and field selector; no kind, no objects."""
        try:
            found = self._call(
                kind, "get", namespace=namespace, label_selector=selector or None,
                field_selector=fields or None,
            )  # fmt: skip
        except Refused as refusal:
            if refusal.status == 404:
                return []
            raise
        items: list[Object] = found.get("items") or []
        return items

    def apply(
        self, manifests: Iterable[Object], manager: str = "slipway-bootstrap", force: bool = True
    ) -> None:
        """Apply objects server-side, in the order given, as field manager `manager`.

        The same objects again change nothing. With `force`, fields that another manager set to
        another value become ours. A kind whose CustomResourceDefinition was applied a moment ago
        is waited for.
        """
        for manifest in manifests:
            kind = f"{manifest['apiVersion']}/{manifest['kind']}"
            deadline = time.monotonic() + _ESTABLISHED_SECONDS
            while True:
                try:
                    self._call(
                        kind, "server_side_apply", body=manifest, field_manager=manager,
                        force_conflicts=force, namespace=manifest["metadata"].get("namespace"),
                    )  # fmt: skip
                    break
                except Refused as refusal:
                    if refusal.status != 404 or time.monotonic() > deadline:
                        raise
                    time.sleep(0.5)

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> Object:
        """Merge `body` into an object (JSON merge patch) and return the result."""
        return self._call(
            kind, "patch", name=name, namespace=namespace, body=body,
            content_type="application/merge-patch+json",
        )  # fmt: skip

    def delete(self, kind: str, name: str, namespace: str | None = None) -> bool:
        """Delete an object and what it owns; return False where it does not exist."""
        try:
            self._call(kind, "delete", name=name, namespace=namespace, propagation_policy="Background")
        except Refused as refusal:
            if refusal.status == 404:
                return False
            raise
        return True

    def logs(
        self, pod: str, namespace: str, container: str = "", lines: int = 20, previous: bool = False
    ) -> str:
        """Return the last lines a container said; '' where it has not started or is gone."""
        query = f"tailLines={lines}" + (f"&container={container}" if container else "")
        query += "&previous=true" if previous else ""
        try:
            return str(self._raw("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log?{query}", text=True))
        except Refused:
            return ""

    def _call(self, kind: str, verb: str, **arguments: Any) -> Object:
        api_version, _, name = kind.rpartition("/")
        with self._translated():
            resource = self._client.resources.get(api_version=api_version, kind=name)
            answer = getattr(self._client, verb)(resource, serialize=False, **arguments)
            parsed: Object = json.loads(answer.data)
            return parsed

    def _raw(self, method: str, path: str, text: bool = False, accept: str = "application/json") -> Any:
        with self._translated():
            headers = {"Accept": accept}
            answer = self._client.request(method, path, serialize=False, header_params=headers)
            return answer.data.decode(errors="replace") if text else json.loads(answer.data)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._unknown.ResourceNotFoundError as error:
            raise Refused(f"the cluster does not know this kind: {error}", 404) from error
        except (self._unknown.DynamicApiError, self._errors.ApiException) as error:
            raise Refused(f"Kubernetes refused: {_message(error)}", int(error.status or 0)) from error
        except (self._network.HTTPError, self._broken, OSError) as error:
            raise self._absent("its API server does not answer") from error

    def _absent(self, why: str) -> NoCluster:
        return NoCluster(f"there is no cluster '{self._name}': {why}", fix="invoke bootstrap")


def _message(error: Any) -> str:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return str(json.loads(error.body)["message"])
    return str(getattr(error, "reason", None) or error)
