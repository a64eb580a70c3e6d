"""Find what is left of an environment, by its tags, and tell what is meant to stay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.cloudformation import Pace
from infra.leftovers import CONTROLLER_TAG, Clients

SECONDS = 180.0
"""How long the tagging service may still tell of what is gone; it is a copy that follows."""


@dataclass(frozen=True, slots=True)
class Remnant:
    """Something that is still there; `meant` says that it should be, and `why` the reason."""

    name: str
    meant: bool
    why: str = ""


def remains(clients: Clients, environment: str, cluster: str, pace: Pace) -> list[Remnant]:
    """Return what carries the environment's or the cluster's tags, once nothing unmeant is among it or time is up."""
    end = pace.now() + SECONDS
    while True:
        found = [
            remnant for arn in _tagged(clients, environment, cluster) if (remnant := _explain(clients, arn))
        ]
        if all(remnant.meant for remnant in found) or pace.now() > end:
            return found
        pace.sleep(pace.every)


def _tagged(clients: Clients, environment: str, cluster: str) -> list[str]:
    filters: tuple[Mapping[str, Any], ...] = (
        {"Key": "slipway:environment", "Values": [environment]},
        {"Key": CONTROLLER_TAG, "Values": [cluster]},
        {"Key": f"kubernetes.io/cluster/{cluster}", "Values": ["owned", "shared"]},
    )
    found: dict[str, None] = {}
    for tag in filters:
        pages = clients("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=[tag])
        found |= {item["ResourceARN"]: None for page in pages for item in page["ResourceTagMappingList"]}
    return list(found)


def _explain(clients: Clients, arn: str) -> Remnant | None:
    """Say why it is there; None for what AWS only still shows."""
    service, _, rest = arn.partition(":")[2].partition(":")[2].partition(":")
    identifier = arn.rsplit("/", 1)[-1]
    if service == "rds" and ":snapshot:" in rest:
        return Remnant(arn, meant=True, why="the database's final snapshot")
    if service == "kms":
        return _key(clients, arn)
    if service == "ec2" and any(_states(clients, arn, identifier)):
        return None
    return Remnant(arn, meant=False)


def _key(clients: Clients, arn: str) -> Remnant:
    found = clients("kms").describe_key(KeyId=arn)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        return Remnant(arn, meant=True, why=f"AWS deletes it on {found['DeletionDate']:%Y-%m-%d}")
    return Remnant(arn, meant=False)


def _states(clients: Clients, arn: str, identifier: str) -> Iterator[bool]:
    """Whether EC2 knows it only as something that was."""
    ec2 = clients("ec2")
    if ":natgateway/" in arn:
        found = ec2.describe_nat_gateways(NatGatewayIds=[identifier])["NatGateways"]
        yield all(item["State"] == "deleted" for item in found)
    if ":instance/" in arn:
        pages = ec2.describe_instances(InstanceIds=[identifier])["Reservations"]
        yield all(item["State"]["Name"] == "terminated" for page in pages for item in page["Instances"])
