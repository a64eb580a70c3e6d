"""Programs that may not do in the cluster what they do."""

from collections.abc import Iterator

from policies.finding import Position
from policies.model.objects import Pod, split_image
from policies.model.rbac import Right, allowed
from policies.model.shape import mapping, sequence
from policies.model.system import Environment, System
from policies.model.traffic import needing_records
from policies.rule import Found

ID = "WIRE14"
TITLE = "A program's ServiceAccount lacks a right in the cluster that the program needs"
WHY = "A controller without it waits and logs; the release then stops with every object in place."
FIX = "Add the verb to the program's Role, and see that a RoleBinding names its ServiceAccount."
_TREE = """\
apiVersion: batch/v1
kind: Job
metadata: {name: migration, namespace: main}
spec: {template: {spec: {serviceAccountName: a, containers: [{name: a, image: "r/eks-migration:v1.0.0"}]}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: main}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}
subjects: [{kind: ServiceAccount, name: a, namespace: main}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: a, namespace: main}
rules:
- {apiGroups: [""], resources: [configmaps], resourceNames: [migration-report], verbs: [get, patch]}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("[get, patch]", "[get]")}

_UPDATER, _ARGO = "argocd-image-updater.argoproj.io", "argoproj.io"
_READ = ("get", "list", "watch")


def check(system: System) -> Found:
    """Ask the bindings of each known program's account."""
    for environment, pod in system.pods():
        for right in _rights(environment, pod):
            if not allowed(environment, pod.owner.namespace, pod.account, right):
                yield _place(environment, pod, right), f"{pod.owner.namespace}/{pod.account} may not {right}"


def _rights(environment: Environment, pod: Pod) -> Iterator[Right]:
    for container in pod.containers:
        image, own = split_image(container.image)[0].rpartition("/")[2], pod.owner.namespace
        if image == "eks-migration":
            for verb in ("get", "patch"):
                yield Right(verb, "", "configmaps", own, "migration-report")
        elif image == "external-dns":
            for namespace in {route.ingress.namespace for route in needing_records(environment)}:
                yield from (Right(verb, "networking.k8s.io", "ingresses", namespace) for verb in _READ)
        elif image == "argocd-image-updater":
            yield from (Right(verb, _ARGO, "applications", own) for verb in (*_READ, "update"))
            yield from (Right(verb, _UPDATER, "imageupdaters", own) for verb in _READ)
            yield Right("get", "", "secrets", own)
        elif image == "traefik":
            for route in environment.kind("Ingress", "networking.k8s.io"):
                yield from (Right(verb, "networking.k8s.io", "ingresses", route.namespace) for verb in _READ)
                yield Right("update", "networking.k8s.io", "ingresses/status", route.namespace)
                yield from (Right(verb, "", "services", route.namespace) for verb in _READ)
                yield from (
                    Right(verb, "discovery.k8s.io", "endpointslices", route.namespace) for verb in _READ[1:]
                )
        elif image == "external-secrets":
            yield from _external_secrets(environment)


def _external_secrets(environment: Environment) -> Iterator[Right]:
    group = "external-secrets.io"
    for external in environment.kind("ExternalSecret", group):
        own = external.namespace
        yield from (Right(verb, group, "externalsecrets", own) for verb in _READ)
        yield Right("update", group, "externalsecrets/status", own)
        target = str(external.get("spec", "target", "name") or external.name)
        yield Right("create", "", "secrets", own)
        yield from (Right(verb, "", "secrets", own, target) for verb in ("get", "update"))
    for store in environment.kind("SecretStore", group):
        account = store.get("spec", "provider", "aws", "auth", "jwt", "serviceAccountRef", "name")
        if account:
            yield Right("create", "", "serviceaccounts/token", store.namespace, str(account))


def _place(environment: Environment, pod: Pod, right: Right) -> Position:
    """The Role that names the account in the right's namespace; else the pod."""
    for binding in environment.kind("RoleBinding"):
        named = any(mapping(each).get("name") == pod.account for each in sequence(binding.get("subjects")))
        role = environment.find("Role", binding.namespace, str(binding.get("roleRef", "name")))
        if named and binding.namespace == right.namespace:
            return role.at("rules") if role else binding.at("roleRef", "name")
    return pod.at("serviceAccountName")
