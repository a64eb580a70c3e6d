"""Load one environment: its wiring, its parameters and the templates, checked before anything is called."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from ci.problem import Problem
from ci.settings import ROOT, Wiring
from infra import subnets, wiring
from infra.parameters import Parameters, Refused, read

CONCERNS = ("network", "cluster", "database", "registry", "dns", "identity", "events")
"""The stacks, in the order in which they depend on one another."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything that decides what is deployed; `templates` is text by concern."""

    wiring: Wiring
    parameters: Parameters
    templates: Mapping[str, str]


def load(name: str, root: Path = ROOT) -> Environment:
    """Load the environment `name`; raise a Problem that names file and key where a value cannot stand."""
    folder = root / "infra" / "parameters"
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise Problem(f"environment '{name}' is unknown", fix=f"--env takes {' or '.join(known)}")
    wired = _checked(
        root, root / "gitops" / "wiring" / name / "wiring.yaml", lambda data: wiring.read(name, data)
    )
    parameters = _checked(root, folder / f"{name}.yaml", lambda data: check(read(data), wired.region))
    templates = {
        concern: (root / "infra" / "templates" / f"{concern}.yaml").read_text() for concern in CONCERNS
    }
    return Environment(wired, parameters, templates)


def check(given: Parameters, region: str) -> Parameters:
    """Return the parameters with subnets filled in; raise Refused where values do not fit each other."""
    public, private = subnets.derive(given.network.cidr, len(given.network.zones))
    network = replace(
        given.network,
        public_subnets=given.network.public_subnets or public,
        private_subnets=given.network.private_subnets or private,
    )
    whole = replace(given, network=network)
    for place, why in (*_network(whole, region), *_cluster(whole), *_database(whole)):
        raise Refused(place, why)
    return whole


def _network(given: Parameters, region: str) -> Iterator[tuple[str, str]]:
    network = given.network
    for zone in network.zones:
        if zone[:-1] != region:
            yield "network.zones", f"'{zone}' is not a zone of {region}, where the wiring file is"
    named: list[tuple[str, IPv4Network]] = []
    for word, found in (
        ("privateSubnets", network.private_subnets),
        ("publicSubnets", network.public_subnets),
    ):
        if len(found) != len(network.zones):
            yield f"network.{word}", f"{len(found)} subnets are given for {len(network.zones)} zones"
        named += [(f"network.{word}[{number}]", subnet) for number, subnet in enumerate(found)]
    yield from subnets.faults(network.cidr, named)


def _cluster(given: Parameters) -> Iterator[tuple[str, str]]:
    cluster = given.cluster
    if cluster.nodes_max < cluster.nodes_min:
        yield "cluster.nodesMax", f"{cluster.nodes_max} is less than nodesMin, {cluster.nodes_min}"
    if not cluster.kube_proxy.startswith(f"v{cluster.version}."):
        yield "cluster.kubeProxy", f"'{cluster.kube_proxy}' is not of Kubernetes {cluster.version}"
    for number, found in enumerate(cluster.api_cidrs):
        if found.prefixlen < 8:
            yield f"cluster.apiCidrs[{number}]", f"{found} opens the API server to most of the internet"


def _database(given: Parameters) -> Iterator[tuple[str, str]]:
    database = given.database
    if database.storage_max_gib * 10 < database.storage_gib * 11:
        yield (
            "database.storageMaxGib",
            f"{database.storage_max_gib} is not 10 % above storageGib, as RDS wants it",
        )
    if given.identity.migrator_user == database.user:
        yield "identity.migratorUser", f"'{database.user}' logs in by password; a user has one way to log in"


def _checked(root: Path, path: Path, read_it: Any) -> Any:
    shown = path.relative_to(root)
    try:
        return read_it(yaml.safe_load(path.read_text()))
    except FileNotFoundError:
        raise Problem(f"{shown} is missing", fix="compare with the other environment's") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise Problem(f"{shown}{line}: this is no YAML", fix="correct the file; nothing was called") from None
    except Refused as refused:
        said = re.sub(r"\s+", " ", str(refused))
        raise Problem(f"{shown}: {said}", fix=f"correct {refused.key} there; nothing was called") from None
