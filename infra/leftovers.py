"""Remove what the cluster's controllers and AWS's services made, and CloudFormation does not know.

Load balancers, target groups, network interfaces, security groups, DNS records, images and log groups: each of
them makes the deletion of a stack fail or wait for an hour. Every function is idempotent, yields a line per thing
that it removed, and waits with a deadline.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ci.problem import Problem
from infra.cloudformation import Pace

Clients = Callable[[str], Any]
"""Gives a boto3 client by the name of its service."""

SECONDS = 900.0
"""How long one kind of thing may take to disappear; AWS gives a load balancer's interfaces back within minutes."""

CONTROLLER_TAG = "elbv2.k8s.aws/cluster"


def load_balancers(clients: Clients, cluster: str, pace: Pace) -> Iterator[str]:
    """Remove the load balancers and target groups of the cluster's controllers."""
    elb = clients("elbv2")
    found = _tagged(elb, _all(elb, "describe_load_balancers", "LoadBalancers"), "LoadBalancerArn", cluster)
    for arn, name in found.items():
        elb.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
        )
        elb.delete_load_balancer(LoadBalancerArn=arn)
        yield f"load balancer {name}"
    _await_none(
        "load balancers",
        lambda: [item["LoadBalancerName"] for item in _all(elb, "describe_load_balancers", "LoadBalancers")
                 if item["LoadBalancerArn"] in found],
        pace,
    )  # fmt: skip
    groups = _tagged(elb, _all(elb, "describe_target_groups", "TargetGroups"), "TargetGroupArn", cluster)
    for arn, name in groups.items():
        elb.delete_target_group(TargetGroupArn=arn)
        yield f"target group {name}"


def network_interfaces(clients: Clients, vpc: str, cluster: str, pace: Pace) -> Iterator[str]:
    """Remove what the network plugin left, and wait for the interfaces that AWS itself takes back."""
    ec2 = clients("ec2")
    for item in _interfaces(ec2, vpc):
        if item["Status"] == "available" and _of_cluster(_tags(item.get("TagSet")), cluster):
            ec2.delete_network_interface(NetworkInterfaceId=item["NetworkInterfaceId"])
            yield f"network interface {item['NetworkInterfaceId']}"
    _await_none(
        "network interfaces",
        lambda: [item["NetworkInterfaceId"] for item in _interfaces(ec2, vpc) if _passing(item)],
        pace,
    )


def security_groups(clients: Clients, vpc: str, cluster: str, pace: Pace) -> Iterator[str]:
    """Remove the controllers' security groups, and before that the rules of others that name them."""
    ec2 = clients("ec2")
    groups = _all(ec2, "describe_security_groups", "SecurityGroups", Filters=_in(vpc))
    doomed = {
        item["GroupId"]: item["GroupName"]
        for item in groups
        if _of_cluster(_tags(item.get("Tags")), cluster) and not _of_stack(item)
    }
    for group in groups:
        _revoke(ec2, group, doomed)
    for identifier, name in doomed.items():
        ec2.delete_security_group(GroupId=identifier)
        yield f"security group {name}"


def records(clients: Clients, zone: str) -> Iterator[str]:
    """Remove every record but the zone's own NS and SOA: external-dns's, and the certificate's proof.

    CloudFormation writes the latter when it makes the certificate and never removes it.
    """
    route53 = clients("route53")
    apex = route53.get_hosted_zone(Id=zone)["HostedZone"]["Name"]
    found = [
        record
        for record in _all(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone)
        if not (record["Type"] in ("NS", "SOA") and record["Name"] == apex)
    ]
    for batch in _batches(found, 100):
        changes = [{"Action": "DELETE", "ResourceRecordSet": record} for record in batch]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        yield from (f"record {record['Name']} {record['Type']}" for record in batch)


def images(clients: Clients, repositories: Iterable[str]) -> Iterator[str]:
    """Remove every image of the repositories that exist, an index before its parts."""
    ecr = clients("ecr")
    for repository in repositories:
        removed = 0
        while found := _images(ecr, repository):
            gone = ecr.batch_delete_image(repositoryName=repository, imageIds=found[:100])["imageIds"]
            removed += len(gone)
            if not gone:
                raise Problem(
                    f"images of {repository} cannot be removed", fix="look at them in ECR's console"
                )
        if removed:
            yield f"{removed} images of {repository}"


def count_images(clients: Clients, repository: str) -> int:
    """Return how many images a repository has; 0 where there is none."""
    return len(_images(clients("ecr"), repository))


def log_groups(clients: Clients, prefix: str) -> Iterator[str]:
    """Remove log groups that a service made by itself, such as RDS's."""
    logs = clients("logs")
    for group in _all(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
        logs.delete_log_group(logGroupName=group["logGroupName"])
        yield f"log group {group['logGroupName']}"


def _all(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    pages = client.get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page[key]]


def _tagged(elb: Any, items: Sequence[Mapping[str, Any]], key: str, cluster: str) -> dict[str, str]:
    """Return ARN and name of the items that carry the cluster's tag."""
    names = {item[key]: item[key.replace("Arn", "Name")] for item in items}
    found = {}
    for batch in _batches(list(names), 20):
        for description in elb.describe_tags(ResourceArns=batch)["TagDescriptions"]:
            if _of_cluster(_tags(description["Tags"]), cluster):
                found[description["ResourceArn"]] = names[description["ResourceArn"]]
    return found


def _tags(items: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in items or ()}


def _of_cluster(tags: Mapping[str, str], cluster: str) -> bool:
    names = (CONTROLLER_TAG, "cluster.k8s.amazonaws.com/name")
    return any(tags.get(name) == cluster for name in names) or f"kubernetes.io/cluster/{cluster}" in tags


def _of_stack(item: Mapping[str, Any]) -> bool:
    return any(name.startswith("aws:cloudformation:") for name in _tags(item.get("Tags")))


def _interfaces(ec2: Any, vpc: str) -> list[Mapping[str, Any]]:
    return _all(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=_in(vpc))


def _passing(item: Mapping[str, Any]) -> bool:
    """Whether it belongs to a load balancer or a node that is already being removed."""
    description: str = item.get("Description", "")
    return description.startswith(("ELB ", "aws-K8S-"))


def _in(vpc: str) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": [vpc]}]


def _revoke(ec2: Any, group: Mapping[str, Any], doomed: Mapping[str, str]) -> None:
    for key, revoke in (
        ("IpPermissions", ec2.revoke_security_group_ingress),
        ("IpPermissionsEgress", ec2.revoke_security_group_egress),
    ):
        rules = [
            {**_ports(rule), "UserIdGroupPairs": [{"GroupId": pair["GroupId"]}]}
            for rule in group.get(key, ())
            for pair in rule.get("UserIdGroupPairs", ())
            if pair.get("GroupId") in doomed
        ]
        if rules:
            revoke(GroupId=group["GroupId"], IpPermissions=rules)


def _ports(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}


def _images(ecr: Any, repository: str) -> list[dict[str, str]]:
    """The ids to delete, tagged ones first: an index goes before the manifests that it names."""
    try:
        found = _all(ecr, "list_images", "imageIds", repositoryName=repository)
    except ecr.exceptions.RepositoryNotFoundException:
        return []
    tagged = {item["imageDigest"] for item in found if "imageTag" in item}
    every = {item["imageDigest"] for item in found}
    return [{"imageDigest": digest} for digest in [*sorted(tagged), *sorted(every - tagged)]]


def _batches(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def _await_none(what: str, find: Callable[[], Sequence[str]], pace: Pace) -> None:
    end = pace.now() + SECONDS
    while left := find():
        if pace.now() > end:
            raise Problem(
                f"{what} are still there after {SECONDS / 60:.0f} min: {', '.join(left)}",
                fix="look at them in AWS's console, then run infra.destroy again",
            )
        pace.sleep(pace.every)
