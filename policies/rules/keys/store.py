"""ExternalSecrets without a store, stores without an identity."""

from policies.model.objects import Object
from policies.model.shape import dig, mapping, sequence
from policies.model.system import Environment, System
from policies.rule import Found

ID = "KEYS06"
TITLE = "An ExternalSecret's store, or a store's ServiceAccount, does not exist or comes later"
WHY = "Nothing is read from Secrets Manager: the Secret never appears, and the next wave waits for ever."
FIX = "Put ServiceAccount, SecretStore and ExternalSecret into one namespace, in waves of this order."
_TREE = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: main}
spec: {secretStoreRef: {name: store}}
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: store, namespace: main}
spec: {provider: {aws: {auth: {jwt: {serviceAccountRef: {name: reader}}}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: main, annotations: {eks.amazonaws.com/role-arn: a}}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {
    "rendered/local/gitops/main": _TREE.replace(
        "secretStoreRef: {name: store}", "secretStoreRef: {name: stores}"
    )
}

_ROLE = "eks.amazonaws.com/role-arn"


def check(system: System) -> Found:
    """Follow the references."""
    for environment in system.environments:
        for external in environment.kind("ExternalSecret"):
            yield from _store(environment, external)
            yield from _generators(environment, external)
        for kind in ("SecretStore", "ClusterSecretStore"):
            for store in environment.kind(kind):
                yield from _account(environment, store)
        for generator in environment.kind("ECRAuthorizationToken"):
            yield from _referenced(environment, generator, ("spec", "auth", "jwt", "serviceAccountRef"))


def _store(environment: Environment, external: Object) -> Found:
    reference = external.get("spec", "secretStoreRef")
    if not isinstance(reference, dict):
        return
    kind = str(reference.get("kind", "SecretStore"))
    namespace = "" if kind == "ClusterSecretStore" else external.namespace
    store = environment.find(kind, namespace, str(reference.get("name")))
    if store is None:
        yield external.at("spec", "secretStoreRef"), f"{kind} {reference.get('name')} does not exist"
    elif store.path == external.path and store.wave > external.wave:
        yield external.at("metadata", "name"), f"{external.label} comes before its {store.label}"


def _generators(environment: Environment, external: Object) -> Found:
    for number, entry in enumerate(sequence(external.get("spec", "dataFrom"))):
        reference = mapping(dig(entry, "sourceRef", "generatorRef"))
        kind, name = str(reference.get("kind")), str(reference.get("name"))
        if reference and environment.find(kind, external.namespace, name) is None:
            place = external.at("spec", "dataFrom", number, "sourceRef", "generatorRef")
            yield place, f"{kind} {name} does not exist in {external.namespace}"


def _account(environment: Environment, store: Object) -> Found:
    yield from _referenced(
        environment, store, ("spec", "provider", "aws", "auth", "jwt", "serviceAccountRef")
    )


def _referenced(environment: Environment, user: Object, path: tuple[str, ...]) -> Found:
    reference = user.get(*path)
    if not isinstance(reference, dict):
        return
    namespace = str(reference.get("namespace") or user.namespace)
    account = environment.find("ServiceAccount", namespace, str(reference.get("name")))
    if account is None:
        yield user.at(*path), f"ServiceAccount {namespace}/{reference.get('name')} does not exist"
    elif not account.annotations.get(_ROLE):
        yield (
            account.at("metadata", "name"),
            f"{account.label} names no role, and {user.label} reads AWS as it",
        )
