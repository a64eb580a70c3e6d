"""Values that infra refuses."""

from policies.model.system import System
from policies.rule import Found

ID = "READ10"
TITLE = "A value of infra/parameters or of the wiring file cannot stand"
WHY = "The deployment refuses it before anything is called, but only on the day of the deployment."
FIX = "Correct the key; docs/reference/infrastructure.md tells what each one takes."
_WIRING = """\
data:
  environment: local
  account: "123456789012"
  region: eu-west-1
  registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com
  repoUrl: https://github.com/acme/slipway.git
  domain: example.com
  host: a.example.com
  clusterName: a
  vpcName: a
  roleGithub: a
  roleSecrets: b
  roleExternalDns: c
  roleImageUpdater: d
  roleDbMigrator: e
  roleLoadBalancerController: f
"""
_PARAMETERS = """\
protected: false
network: {cidr: 10.0.0.0/16, zones: [eu-west-1a, eu-west-1b], natGateways: single, endpoints: true}
cluster:
  version: "1.35"
  administrator: role/administrator
  apiCidrs: [203.0.113.0/24]
  instanceTypes: [m7i.large]
  nodesMin: 1
  nodesMax: 2
  diskGib: 20
  vpcCni: v1.21.1-eksbuild.3
  kubeProxy: v1.35.0-eksbuild.2
  coredns: v1.13.2-eksbuild.1
  logDays: 7
database:
  name: a
  user: a
  port: 5432
  version: "15.19"
  instanceClass: db.m7g.large
  storageGib: 20
  storageMaxGib: 40
  backupDays: 1
  multiAz: false
registry: {untaggedDays: 14}
identity: {githubOwnerId: "1", githubRepositoryId: "2", migratorUser: migrator}
"""
GOOD = {
    "rendered/local/gitops/main": "kind: A\n",
    "gitops/wiring/local/wiring.yaml": _WIRING,
    "infra/parameters/local.yaml": _PARAMETERS,
}
BAD = {**GOOD, "infra/parameters/local.yaml": _PARAMETERS.replace("nodesMin: 1", "nodesMin: 3")}


def check(system: System) -> Found:
    """Let infra read its files."""
    for environment in system.environments:
        refused = environment.infra.refused
        if refused is not None:
            yield refused
