"""nginx, the app and the Dockerfiles disagree about a port."""

from collections.abc import Iterator

from policies.model.objects import split_image
from policies.model.product import Product
from policies.model.shape import mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "EDGE04"
TITLE = "The port of a container, its Dockerfile, its program and nginx's upstream are not the same"
WHY = "nginx answers 503 for every call to the API, or the probes ask a port where nobody listens."
FIX = "Use 8080 for the app and 80 for nginx, in containerPort, EXPOSE, ledger/settings.py and nginx.conf."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: app, image: "r/eks-app:v1.0.0", ports: [{containerPort: 8080}]}]}
"""
_TREE = {
    "app/docker-bake.hcl": 'target "eks-app" {\n  context = "."\n  tags = ["${REGISTRY}/eks-app:${VERSION}"]\n}\n',
    "app/Dockerfile": "FROM a\nEXPOSE 8080\n",
    "app/ledger/settings.py": 'port=int(_number(env, "PORT", 8080))\n',
    "app/web/nginx.conf": "upstream api {\n    server 127.0.0.1:8080;\n}\n",
}
GOOD = {"rendered/local/gitops/main": _POD, **_TREE}
BAD = {**GOOD, "app/web/nginx.conf": "upstream api {\n    server 127.0.0.1:8000;\n}\n"}

_APP, _WEB = "eks-app", "eks-web"


def check(system: System) -> Found:
    """Compare all places that name a port."""
    for _, pod in system.pods():
        for container in pod.containers:
            image = split_image(container.image)[0].rpartition("/")[2]
            ports = [mapping(port).get("containerPort") for port in sequence(container.get("ports"))]
            for fault in _own(system.product, image, ports):
                yield pod.at(*container.path, "ports"), f"{container.name} has ports {ports}, {fault}"
            yield from _nginx(system.product, image, ports)


def _own(product: Product, image: str, ports: list[object]) -> Iterator[str]:
    exposed = product.exposed(image)
    if exposed and set(exposed) != set(ports):
        yield f"its image exposes {list(exposed)}"
    if image == _APP and product.app_port and product.app_port not in ports:
        yield f"the app listens on {product.app_port}"


def _nginx(product: Product, image: str, ports: list[object]) -> Found:
    if image == _APP:
        for name, (host, port, place) in product.upstreams.items():
            if host not in ("127.0.0.1", "localhost") or port not in ports:
                yield place, f"upstream {name} is {host}:{port}, the app in the same pod has {ports}"
    if image == _WEB:
        for port, place in product.listens:
            if port not in ports:
                yield place, f"nginx listens on {port}, its container has {ports}"
