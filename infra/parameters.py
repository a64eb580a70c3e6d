# ruff: noqa: RUF009 - key() makes a dataclass field, as field() does
"""What one environment's infrastructure is like: the keys of infra/parameters/ENV.yaml, typed.

A key is a dataclass field with the check that reads it and the line that documents it, so the file's
reader, its errors and docs/reference/infrastructure.md come from here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from ipaddress import IPv4Network
from typing import Any, TypeVar

from infra.checks import Check, flag, matching, network, one_of, some, whole

T = TypeVar("T")
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)
_ADDON = r"v\d+\.\d+\.\d+-eksbuild\.\d+"
_DIGITS = matching(r"[1-9]\d*", "40250163")
_ZONE = matching(r"[a-z]{2}(-[a-z]+)+-\d[a-z]", "ap-northeast-1a")
_SQL_NAME = matching(r"[a-z][a-z0-9_]{0,62}", "slipway")


class Refused(Exception):
    """A value cannot stand; `key` is its place in the file, `why` is what is wrong with it."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key = key
        self.why = why


def key(check: Check[T], about: str, default: Any = MISSING) -> Any:
    """Describe a key: how it is read and what it is for; without default it must be there."""
    return field(default=default, metadata={"check": check, "about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Stack network."""

    cidr: IPv4Network = key(network(16, 22), "addresses of the VPC, /16 to /22")
    zones: tuple[str, ...] = key(some(_ZONE, 2, 3), "two or three availability zones of the region")
    public_subnets: tuple[IPv4Network, ...] = key(
        some(network(16, 28), 2, 3),
        "one per zone, for load balancers and NAT; where missing, made from `cidr`",
        (),
    )
    private_subnets: tuple[IPv4Network, ...] = key(
        some(network(16, 28), 2, 3),
        "one per zone, for nodes, pods and the database; where missing, made from `cidr`",
        (),
    )
    nat_gateways: str = key(
        one_of("single", "per-zone"), "`single` costs less, `per-zone` outlives the loss of a zone"
    )
    endpoints: bool = key(flag, "reach ECR, S3, STS and Secrets Manager without leaving the VPC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Stack cluster."""

    version: str = key(matching(r"1\.\d{2}", "1.35"), "Kubernetes of control plane and nodes")
    administrator: str = key(
        matching(r"(role|user)/[\w+=,.@/-]+", "role/administrator"),
        "role or user of the account that administers the cluster",
    )
    api_cidrs: tuple[IPv4Network, ...] = key(
        some(network(1, 32), 1, 40), "networks that reach the API server; GitHub needs none of it"
    )
    instance_types: tuple[str, ...] = key(
        some(matching(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", "m7i.large"), 1, 20),
        "of the nodes, x86-64, in order of preference",
    )
    nodes_min: int = key(whole(1, 450), "nodes to start with")
    nodes_max: int = key(whole(1, 450), "nodes at most")
    disk_gib: int = key(whole(20, 1000), "a node's disk, GiB")
    vpc_cni: str = key(matching(_ADDON, "v1.21.1-eksbuild.3"), "version of the add-on vpc-cni")
    kube_proxy: str = key(matching(_ADDON, "v1.35.0-eksbuild.2"), "version of the add-on kube-proxy")
    coredns: str = key(matching(_ADDON, "v1.13.2-eksbuild.1"), "version of the add-on coredns")
    log_days: int = key(one_of(*LOG_DAYS), "how long the control plane's logs are kept, days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Stack database."""

    name: str = key(_SQL_NAME, "the product's database")
    user: str = key(_SQL_NAME, "the product's user; its password is made by Secrets Manager")
    port: int = key(whole(1150, 65535), "where PostgreSQL listens; RDS allows no lower one")
    version: str = key(matching(r"\d{2}\.\d{1,2}", "15.19"), "PostgreSQL, exactly; nothing raises it unasked")
    instance_class: str = key(matching(r"db\.[a-z0-9]+\.[a-z0-9]+", "db.m7g.large"), "size of the instance")
    storage_gib: int = key(whole(20, 65536), "disk to start with, GiB")
    storage_max_gib: int = key(whole(22, 65536), "up to which the disk grows by itself, GiB")
    backup_days: int = key(whole(1, 35), "how long daily backups are kept, days")
    multi_az: bool = key(flag, "a standby in another zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Stack registry."""

    untagged_days: int = key(
        whole(1, 365), "after how many days an image without tag is removed; versions never are"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Stack identity."""

    github_owner_id: str = key(_DIGITS, "GitHub's number of the organisation or user")
    github_repository_id: str = key(_DIGITS, "GitHub's number of the repository")
    migrator_user: str = key(_SQL_NAME, "database user that role-for-db-migrator may be")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """All of one environment's parameters."""

    protected: bool = key(
        flag, "stacks, cluster and database refuse deletion until `infra.destroy` is told twice"
    )
    network: Network
    cluster: Cluster
    database: Database
    registry: Registry
    identity: Identity


SECTIONS: Mapping[str, type[Any]] = {
    "network": Network,
    "cluster": Cluster,
    "database": Database,
    "registry": Registry,
    "identity": Identity,
}


def read(data: Any) -> Parameters:
    """Type the content of a parameters file; raise Refused at the first key that cannot stand."""
    known = {**dict.fromkeys(SECTIONS), "protected": None}
    _names("", _mapping("", data), known)
    sections = {name: _section(name, kind, data.get(name)) for name, kind in SECTIONS.items()}
    protected = next(item for item in fields(Parameters) if item.name == "protected")
    return Parameters(protected=_value("protected", protected, data), **sections)


def in_file(name: str) -> str:
    """Return the key in the file of a field's name: `nat_gateways` is `natGateways` there."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _section(name: str, kind: type[Any], data: Any) -> Any:
    if data is None:
        raise Refused(name, "it is missing")
    known = {in_file(item.name): item for item in fields(kind)}
    _names(f"{name}.", _mapping(name, data), known)
    return kind(**{item.name: _value(f"{name}.{word}", item, data) for word, item in known.items()})


def _value(place: str, item: Field[Any], data: Mapping[str, Any]) -> Any:
    word = in_file(item.name)
    if word not in data:
        if item.default is MISSING:
            raise Refused(place, "it is missing")
        return item.default
    try:
        return item.metadata["check"](data[word])
    except ValueError as error:
        raise Refused(place, str(error)) from None


def _mapping(place: str, data: Any) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise Refused(place or "the file", f"{data!r} is no mapping of keys to values")
    return data


def _names(before: str, data: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in data:
        if name not in known:
            raise Refused(f"{before}{name}", f"no such parameter; there are {', '.join(known)}")


def table() -> str:
    """Return the keys as a Markdown table, for docs/reference/infrastructure.md (a test compares)."""
    lines = ["| key | what it is |", "|---|---|"]
    for name, item in _every():
        lines.append(f"| `{name}` | {item.metadata['about']} |")
    return "\n".join(lines) + "\n"


def _every() -> Iterator[tuple[str, Field[Any]]]:
    yield from ((item.name, item) for item in fields(Parameters) if "about" in item.metadata)
    for section, kind in SECTIONS.items():
        yield from ((f"{section}.{in_file(item.name)}", item) for item in fields(kind))
