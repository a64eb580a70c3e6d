"""Divide a VPC's addresses into subnets, and find what is wrong with a given division."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network

SMALLEST = 28
"""AWS makes no subnet smaller than /28."""


def derive(vpc: IPv4Network, zones: int) -> tuple[tuple[IPv4Network, ...], tuple[IPv4Network, ...]]:
    """Return (public, private) subnets for up to three zones.

    Pods and nodes live in the private ones, each a quarter of the VPC; the public ones, 1/64 each, are
    at the beginning of the last quarter and hold load balancers and NAT only.
    """
    quarters = list(vpc.subnets(prefixlen_diff=2))
    small = quarters[3].subnets(new_prefix=min(vpc.prefixlen + 6, SMALLEST))
    return tuple(next(small) for _ in range(zones)), tuple(quarters[:zones])


def faults(vpc: IPv4Network, named: Sequence[tuple[str, IPv4Network]]) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for each subnet outside the VPC or across one before it."""
    for number, (key, subnet) in enumerate(named):
        if not subnet.subnet_of(vpc):
            yield key, f"{subnet} is outside the VPC's {vpc}"
        for other, before in named[:number]:
            if subnet.overlaps(before):
                yield key, f"{subnet} overlaps {other} {before}"
