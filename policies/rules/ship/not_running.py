"""Image Updaters that wait for an image their Application does not run."""

from fnmatch import fnmatchcase

from policies.model.objects import split_image
from policies.model.system import System
from policies.model.updater import references
from policies.rule import Found

ID = "SHIP06"
TITLE = "An ImageUpdater names an image or an Application that is not there"
WHY = "It considers only images of Applications that it finds, in their rendered form: a new version is never recorded."
FIX = "Use the Application's name, and the image's name with the registry as the pod has it."
_UPDATER = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: main, namespace: argocd}
spec:
  applicationRefs:
  - namePattern: main
    images:
    - {alias: app, imageName: registry.example/eks-app}
"""
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec: {source: {path: gitops/main/overlays/local}}
"""
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: app, image: "registry.example/eks-app:v1.0.0"}]}
"""
GOOD = {
    "rendered/local/gitops/updater": _UPDATER,
    "rendered/local/gitops/apps": _APPLICATION,
    "rendered/local/gitops/main/overlays/local": _POD,
}
BAD = {**GOOD, "rendered/local/gitops/updater": _UPDATER.replace("eks-app", "app")}


def check(system: System) -> Found:
    """Follow each reference to the pods of its Application."""
    for environment in system.environments:
        for reference in references(environment):
            applications = [
                each for each in environment.applications if fnmatchcase(each.name, reference.pattern)
            ]
            if not applications:
                yield reference.at("namePattern"), f"no Application matches {reference.pattern}"
                continue
            paths = {source.key for each in applications for source in each.sources}
            run = {
                split_image(container.image)[0]
                for path in paths
                for pod in environment.pods_of(path)
                for container in pod.containers
            }
            for image in reference.images:
                if image.name not in run:
                    yield (
                        reference.at("images", image.number, "imageName"),
                        f"no pod of {reference.pattern} runs {image.name}",
                    )
