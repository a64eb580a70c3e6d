"""Applications that their project refuses."""

from policies.model.applications import Application, Project
from policies.model.system import Environment, System
from policies.rule import Found

ID = "ORDER09"
TITLE = "A project does not permit an Application's source, destination or an object's kind"
WHY = "Argo CD refuses the whole sync, at the first commit that adds the new kind."
FIX = "List it in the AppProject in gitops/bootstrap/base/projects, or take it out of the Application."
_PROJECT = """\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: main, namespace: argocd}
spec:
  sourceRepos: [https://example.org/a.git]
  destinations: [{server: https://kubernetes.default.svc, namespace: main}]
  clusterResourceWhitelist: []
  namespaceResourceWhitelist: [{group: "", kind: Service}]
"""
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec:
  project: main
  source: {repoURL: https://example.org/a.git, path: gitops/main}
  destination: {server: https://kubernetes.default.svc, namespace: main}
"""
_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: a, namespace: main}
"""
GOOD = {
    "rendered/local/gitops/bootstrap/overlays/local": _PROJECT,
    "rendered/local/gitops/apps": _APPLICATION,
    "rendered/local/gitops/main": _SERVICE,
}
BAD = {**GOOD, "rendered/local/gitops/main": _SERVICE.replace("kind: Service", "kind: ConfigMap")}


def check(system: System) -> Found:
    """Ask each Application's project as Argo CD does."""
    for environment in system.environments:
        for application in environment.applications:
            project = environment.projects.get(application.project)
            if project is None:
                yield (
                    application.at("spec", "project"),
                    f"project {application.project or 'default'} does not exist",
                )
            else:
                yield from _refused(environment, application, project)


def _refused(environment: Environment, application: Application, project: Project) -> Found:
    for source in application.sources:
        if not project.permits_source(source.repository):
            place = application.at(*application.source_path, "repoURL")
            yield place, f"project {project.object.name} does not permit {source.repository}"
    if not project.permits_destination(application.server, application.namespace):
        where = f"{application.server} {application.namespace}"
        yield application.at("spec", "destination"), f"project {project.object.name} does not permit {where}"
    for source in application.sources:
        for found in environment.objects_of(source.key):
            if not project.permits_kind(found):
                what = f"{found.kind} {found.group}".strip()
                yield found.at("kind"), f"project {project.object.name} does not permit {what} ({found.name})"
            elif found.namespace and not project.permits_destination(application.server, found.namespace):
                yield (
                    found.at("metadata", "namespace"),
                    f"project {project.object.name} ends at {found.namespace}",
                )
