"""Keys that the product's program reads and its Secret does not have."""

from policies.model.needs import needs
from policies.model.objects import split_image
from policies.model.secrets import keys_of
from policies.model.system import System
from policies.rule import Found

ID = "KEYS03"
TITLE = "The product reads a credential by a name that its Secret does not have"
WHY = "The pods never become ready after the next release, although every manifest is valid."
FIX = (
    "Use one set of names: KEYS in the program, secretKey in the ExternalSecret, the secret's shape in infra."
)
_TREE = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  containers: [{name: app, image: "r/eks-app:v1.0.0", volumeMounts: [{name: s, mountPath: /run/secrets/database}]}]
  volumes: [{name: s, secret: {secretName: db}}]
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: main}
spec: {data: [{secretKey: host, remoteRef: {key: a}}]}
"""
GOOD = {"rendered/local/gitops/main": _TREE, "app/ledger/credentials.py": 'KEYS = {"host": "host"}\n'}
BAD = {"rendered/local/gitops/main": _TREE, "app/ledger/credentials.py": 'KEYS = {"hostname": "host"}\n'}


def check(system: System) -> Found:
    """Compare KEYS of each image's program with the Secret that its pod mounts."""
    for environment, pod in system.pods():
        for container in pod.containers:
            image = split_image(container.image)[0].rpartition("/")[2]
            wanted, position = system.product.credentials(image)
            if not wanted:
                continue
            secrets = [need for need in needs(pod) if need.kind == "Secret"]
            if not secrets:
                yield pod.at("volumes"), f"{container.name} reads credentials, but the pod mounts no Secret"
            for need in secrets:
                for maker in need.makers(environment):
                    keys = keys_of(environment, maker)
                    for key in wanted:
                        if keys is not None and key not in keys:
                            yield position, f"{image} reads {key}, which Secret {need.name} will not have"
