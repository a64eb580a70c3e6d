"""ExternalSecrets that ask for what infra does not make."""

from policies.model.secrets import remotes
from policies.model.system import System
from policies.rule import Found

ID = "KEYS04"
TITLE = "An ExternalSecret names a secret or a property that infra does not make"
WHY = "It stays in SecretSyncedError; on a new cluster no Secret appears, and the migration waits for it in vain."
FIX = "Use the Name of the AWS::SecretsManager::Secret, and a key of its value."
_EXTERNAL = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: main}
spec: {data: [{secretKey: host, remoteRef: {key: database-secrets, property: host}}]}
"""
_TEMPLATE = """\
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: database-secrets, SecretString: '{"host": "a"}'}
"""
GOOD = {"rendered/local/gitops/main": _EXTERNAL, "infra/templates/database.yaml": _TEMPLATE}
BAD = {**GOOD, "rendered/local/gitops/main": _EXTERNAL.replace("property: host", "property: hostname")}


def check(system: System) -> Found:
    """Look up each remote key, and each property where the shape is known."""
    for environment in system.environments:
        if not environment.infra.resources:
            continue
        for external in environment.kind("ExternalSecret"):
            for remote in remotes(external):
                if remote.key not in environment.infra.secrets:
                    yield remote.position, f"infra makes no secret {remote.key}"
                    continue
                shape = environment.secret_shape(remote.key)
                if remote.property is not None and shape is not None and remote.property not in shape:
                    yield remote.position, f"secret {remote.key} has no property {remote.property}"
