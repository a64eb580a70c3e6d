"""Publishing the app before what it needs."""

from policies.model.system import System
from policies.rule import Found

ID = "SHIP14"
TITLE = "The app's image is not the last to be published, or an image is not published at all"
WHY = (
    "The app's tag is the commit point: the cluster starts at once, and the migration's image must be there."
)
FIX = (
    "Order IMAGES in ci/settings.py and the default group of the bake file: eks-migration, eks-web, eks-app."
)
_BAKE = """\
group "default" {
  targets = ["eks-migration", "eks-app"]
}
target "eks-app" {
  tags = ["${REGISTRY}/eks-app:${VERSION}"]
}
target "eks-migration" {
  tags = ["${REGISTRY}/eks-migration:${VERSION}"]
}
"""
GOOD = {"app/docker-bake.hcl": _BAKE, "ci/settings.py": 'IMAGES = ("eks-migration", "eks-app")\n'}
BAD = {"app/docker-bake.hcl": _BAKE, "ci/settings.py": 'IMAGES = ("eks-app", "eks-migration")\n'}

_LAST = "eks-app"


def check(system: System) -> Found:
    """Compare the verbs' order and the bake group with the targets."""
    product = system.product
    built = {target.image for target in product.targets}
    if not built:
        return
    for names, position in (product.publishing_order, product.group):
        if not names or names[-1] != _LAST:
            yield position, f"{_LAST} is not the last of {', '.join(names) or 'nothing'}"
        for missing in sorted(built - set(names)):
            yield position, f"{missing} is built but not listed"
        for extra in sorted(set(names) - built):
            yield position, f"{extra} is listed but not built"
