"""A product of several versions at once."""

from collections import defaultdict

from policies.model.objects import Container, Pod, split_image
from policies.model.system import System
from policies.rule import Found

ID = "SHIP04"
TITLE = "The images of one Application have different versions"
WHY = (
    "A release is one fact. Mixed, the page calls an API that is not there, or the migration of another version runs"
    " (argocd-image-updater 279, 420, 531, 675, 1246)."
)
FIX = "Set the tag of eks-app only, and let gitops/main/release copy it to the others."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  containers:
  - {name: app, image: "registry.example/eks-app:v1.0.0"}
  - {name: web, image: "registry.example/eks-web:v1.0.0"}
"""
_BAKE = """\
target "eks-app" {
  tags = ["${REGISTRY}/eks-app:${VERSION}"]
}
target "eks-web" {
  tags = ["${REGISTRY}/eks-web:${VERSION}"]
}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _POD, "app/docker-bake.hcl": _BAKE}
BAD = {
    "rendered/local/gitops/main/overlays/local": _POD.replace("web:v1.0.0", "web:v1.0.1"),
    "app/docker-bake.hcl": _BAKE,
}


def check(system: System) -> Found:
    """Compare the product's tags within each rendered folder with that of the first bake target."""
    built = {target.image for target in system.product.targets}
    for environment in system.environments:
        found: dict[str, list[tuple[Pod, Container]]] = defaultdict(list)
        for pod in environment.pods:
            for container in pod.containers:
                if split_image(container.image)[0].rpartition("/")[2] in built:
                    found[pod.owner.path].append((pod, container))
        for users in found.values():
            tags = [split_image(container.image)[1] for _, container in users]
            for pod, container in users:
                tag = split_image(container.image)[1]
                if tag != tags[0]:
                    yield pod.at(*container.path, "image"), f"{container.name} has {tag}, beside {tags[0]}"
