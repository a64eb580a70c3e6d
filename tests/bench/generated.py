"""A tree of many Applications, as valid as the real one: ten objects each, sources and renderings."""

from typing import Any

from ci.validate.tree import Rendered
from policies.yamltext import parse

_ENVIRONMENT = "local"
OBJECTS = 10

_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: a{n}
  namespace: argocd
spec:
  project: main
  source: {{repoURL: https://example.org/a.git, targetRevision: main, path: gitops/a{n}/overlays/local}}
  destination: {{server: https://kubernetes.default.svc, namespace: a{n}}}
  syncPolicy:
    automated: {{prune: true, selfHeal: true}}
    syncOptions: [ServerSideApply=true]
"""
_PROJECT = """\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {{name: main, namespace: argocd}}
spec:
  sourceRepos: [https://example.org/a.git]
  destinations:
{destinations}
  clusterResourceWhitelist: [{{group: "", kind: Namespace}}]
  namespaceResourceWhitelist:
  - {{group: "", kind: ServiceAccount}}
  - {{group: "", kind: ConfigMap}}
  - {{group: "", kind: Service}}
  - {{group: apps, kind: Deployment}}
  - {{group: policy, kind: PodDisruptionBudget}}
  - {{group: networking.k8s.io, kind: NetworkPolicy}}
"""
_DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.argoproj.io}}
spec: {{group: argoproj.io, names: {{kind: {kind}}}}}
"""
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: a{n}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {name}}}}}
  strategy: {{rollingUpdate: {{maxUnavailable: 0, maxSurge: 1}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      serviceAccountName: a
      automountServiceAccountToken: false
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
      - name: web
        image: registry.example.org/web:v1.0.{n}
        ports: [{{name: web, containerPort: 8080}}]
        readinessProbe: {{httpGet: {{path: /ready, port: web}}}}
        livenessProbe: {{httpGet: {{path: /live, port: web}}}}
        resources: {{requests: {{cpu: 10m, memory: 16Mi}}, limits: {{memory: 64Mi}}}}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {{drop: [ALL]}}
        volumeMounts: [{{name: files, mountPath: /etc/web}}]
      volumes: [{{name: files, configMap: {{name: files}}}}]
"""
_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: a{n}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: web, port: 80, targetPort: web}}]}}
"""
_BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: {name}, namespace: a{n}}}
spec: {{minAvailable: 1, selector: {{matchLabels: {{app: {name}}}}}}}
"""
_NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata: {{name: a{n}, labels: {{pod-security.kubernetes.io/enforce: restricted}}}}
"""
_ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: a, namespace: a{n}}}\n"
_FILES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: files, namespace: a{n}}}\ndata: {{a: b}}\n"
_POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: a, namespace: a{n}}}
spec: {{podSelector: {{}}, policyTypes: [Ingress], ingress: [{{ports: [{{port: web}}]}}]}}
"""
_OTHERS = (_NAMESPACE, _ACCOUNT, _FILES, _POLICY)


def tree(applications: int) -> tuple[dict[str, bytes], Rendered]:
    """Files and renderings of `applications` Applications; nothing is wrong with them."""
    destinations = "\n".join(
        f"  - {{server: https://kubernetes.default.svc, namespace: {name}}}"
        for name in ("argocd", *(f"a{n}" for n in range(applications)))
    )
    bootstrap = {
        "namespace.yaml": "apiVersion: v1\nkind: Namespace\n"
        "metadata: {name: argocd, labels: {pod-security.kubernetes.io/enforce: restricted}}\n",
        "application-crd.yaml": _DEFINITION.format(kind="Application", plural="applications"),
        "project-crd.yaml": _DEFINITION.format(kind="AppProject", plural="appprojects"),
        "project.yaml": _PROJECT.format(destinations=destinations),
        **{f"a{n}.yaml": _APPLICATION.format(n=n) for n in range(applications)},
    }
    files: dict[str, bytes] = {}
    rendered: Rendered = {_ENVIRONMENT: {}}
    _folder(files, rendered, f"gitops/bootstrap/overlays/{_ENVIRONMENT}", bootstrap)
    for n in range(applications):
        _folder(files, rendered, f"gitops/a{n}/overlays/{_ENVIRONMENT}", _objects(n))
    return files, rendered


def _objects(n: int) -> dict[str, str]:
    templates = {
        f"{kind}-{name}.yaml": text.format(n=n, name=name)
        for name in ("one", "two")
        for kind, text in (("deployment", _DEPLOYMENT), ("service", _SERVICE), ("budget", _BUDGET))
    }
    others = {f"other-{number}.yaml": text.format(n=n) for number, text in enumerate(_OTHERS)}
    return {**templates, **others}


def _folder(files: dict[str, bytes], rendered: Rendered, folder: str, texts: dict[str, str]) -> None:
    files[f"{folder}/kustomization.yaml"] = f"resources: [{', '.join(texts)}]\n".encode()
    documents: list[Any] = []
    for name, text in texts.items():
        files[f"{folder}/{name}"] = text.encode()
        documents += [each.value for each in parse(name, text)[0]]
    rendered[_ENVIRONMENT][folder] = documents
