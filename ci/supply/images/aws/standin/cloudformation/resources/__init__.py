"""Adapters: one module per service, each type a thin layer over moto's own API."""

from . import acm, ec2, ecr, eks, events, iam, kms, logs, network, rds, route53, secretsmanager
from .adapter import Adapter


def _all() -> dict[str, Adapter]:
    found: dict[str, Adapter] = {}
    for module in (acm, ec2, ecr, eks, events, iam, kms, logs, network, rds, route53, secretsmanager):
        for adapter in module.ADAPTERS:
            assert adapter.type not in found, adapter.type
            found[adapter.type] = adapter
    return found


ADAPTERS = _all()
"""Every resource type that the stand-in can make."""
