"""`invoke bootstrap --env production`: the stacks in AWS, then Argo CD in the EKS cluster. Git does the rest."""

import base64
import json
import secrets
from dataclasses import replace
from typing import Any

import yaml

from ci import infra
from ci.cluster import Cluster, Object
from ci.local import argocd, secret
from ci.problem import Problem
from ci.progress import console, step
from ci.settings import Settings, Wiring, wiring

ENVIRONMENT = "production"
CREDENTIALS = "git-credentials"
"""Secret in Secrets Manager with `username` and `password` for git; the operator fills it."""

TOKEN_SECONDS = 60
"""How long the signed request in a token may be used; EKS then keeps the identity for about 15 minutes."""


def bootstrap(settings: Settings, stand_in: bool, yes: bool) -> None:
    """Show the plan, ask unless `yes`, bring up the stacks, and start Argo CD in their cluster.

    Run again, it changes nothing. With `stand_in`, production's account in the local stand-in is deployed to; EKS has
    no API server there, so it ends before Argo CD.
    """
    infra.apply(settings, ENVIRONMENT, stand_in, yes)
    if stand_in:
        console.print("the stacks are up; the stand-in's EKS has no API server, so Argo CD is left out")
        return
    target = infra.target(settings, ENVIRONMENT)
    place = wiring(ENVIRONMENT)
    production = replace(settings, name=place.cluster_name, wiring=place)
    with step(f"log in to the cluster {place.cluster_name}"):
        write_kubeconfig(production, target.clients("eks"), target.clients("sts"))
        cluster = Cluster(production)
        cluster.version()
    argocd.install(production, cluster, _secrets(cluster, target.clients("secretsmanager"), place))
    console.print(
        f"Argo CD follows {place.repo_url}. Next: invoke infra.outputs --env production names the zone's name servers "
        "for the registrar; push a tag, and GitHub Actions publishes the first images"
    )


def write_kubeconfig(production: Settings, eks: Any, sts: Any) -> None:
    """Write the kubeconfig of the EKS cluster, with a token that is good for about 15 minutes."""
    name = production.wiring.cluster_name
    found = eks.describe_cluster(name=name)["cluster"]
    if found["status"] != "ACTIVE":
        raise Problem(
            f"the cluster {name} is {found['status']}", fix="wait until it is ACTIVE, then run it again"
        )
    authority = found["certificateAuthority"]["data"]
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": found["endpoint"], "certificate-authority-data": authority}}
        ],
        "users": [{"name": name, "user": {"token": token(sts, name)}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    secret.private_folder(production.state)
    secret.write(production.kubeconfig, yaml.safe_dump(content))


def token(sts: Any, cluster: str) -> str:
    """Return a token for the API server of an EKS cluster: a signed GetCallerIdentity, as `aws eks get-token` makes it.

    The cluster's name is a signed header, so that the token is of no use at another one.
    """
    header = "x-k8s-aws-id"

    def keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[header] = params.pop("ClusterName")

    def add(request: Any, **_: Any) -> None:
        request.headers[header] = request.context[header]

    sts.meta.events.register("provide-client-params.sts.GetCallerIdentity", keep, unique_id="slipway-keep")
    sts.meta.events.register("before-sign.sts.GetCallerIdentity", add, unique_id="slipway-add")
    url = sts.generate_presigned_url(
        "get_caller_identity", Params={"ClusterName": cluster}, ExpiresIn=TOKEN_SECONDS, HttpMethod="GET"
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _secrets(cluster: Cluster, manager: Any, place: Wiring) -> list[Object]:
    """What Argo CD needs before External Secrets is there: the webhook's key, once, and git's login where there is one."""
    made = []
    found = cluster.get("v1/Secret", "argocd-secret", argocd.NAMESPACE) or {}
    if "webhook.github.secret" not in found.get("data", {}):
        made.append(
            argocd.opaque(
                argocd.NAMESPACE, "argocd-secret", {"webhook.github.secret": secrets.token_urlsafe(32)}
            )
        )
    if login := _git_login(manager):
        login = {"type": "git", "url": place.repo_url, **login}
        made.append(argocd.opaque(argocd.NAMESPACE, "git-creds", login))
    return made


def _git_login(manager: Any) -> dict[str, str]:
    """Return the login for git, or nothing as long as the operator has not filled the secret."""
    try:
        found = json.loads(manager.get_secret_value(SecretId=CREDENTIALS)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:
        return {}
    return {key: str(found[key]) for key in ("username", "password")}
