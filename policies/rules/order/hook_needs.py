"""Hooks that need what the same sync makes after them."""

from policies.model.needs import Need, needs
from policies.model.objects import Object
from policies.model.system import Environment, System
from policies.rule import Found

ID = "ORDER04"
TITLE = "A hook needs something that is made later"
WHY = "PreSync runs before anything else of its Application exists: the first sync waits for ever (argo-cd 9891, 10077)."
FIX = "Move the Secret, ConfigMap or ServiceAccount to an Application of an earlier wave."
_JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: migration
  namespace: main
  annotations: {argocd.argoproj.io/hook: PreSync}
spec:
  template:
    spec: {serviceAccountName: migrator, containers: [{name: a, image: "a:v1.0.0"}]}
"""
_ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: migrator, namespace: main}
"""
_APPS = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: before, namespace: argocd, annotations: {argocd.argoproj.io/sync-wave: "0"}}
spec: {source: {path: gitops/before}, destination: {namespace: main}}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd, annotations: {argocd.argoproj.io/sync-wave: "1"}}
spec: {source: {path: gitops/main}, destination: {namespace: main}}
"""
GOOD = {
    "rendered/local/gitops/apps": _APPS,
    "rendered/local/gitops/before": _ACCOUNT,
    "rendered/local/gitops/main": _JOB,
}
BAD = {**GOOD, "rendered/local/gitops/apps": _APPS.replace('"0"', '"1"')}


def check(system: System) -> Found:
    """Follow what each pod of a hook names to what makes it."""
    for environment, pod in system.pods():
        hook = pod.owner
        if hook.hook is None:
            continue
        for need in needs(pod):
            makers = need.makers(environment)
            if makers and not any(_earlier(environment, hook, maker) for maker in makers):
                yield need.position, _message(hook, need)


def _earlier(environment: Environment, hook: Object, maker: Object) -> bool:
    if maker.path == hook.path:
        return hook.hook == "PostSync" or (hook.hook == "Sync" and maker.wave < hook.wave and not maker.hook)
    if maker.path == environment.bootstrap:
        return True
    mine, its = environment.application_wave(hook.path), environment.application_wave(maker.path)
    return mine is not None and its is not None and its < mine


def _message(hook: Object, need: Need) -> str:
    return f"{hook.label}, a {hook.hook} hook, needs {need.kind} {need.name}, which is not made before it"
