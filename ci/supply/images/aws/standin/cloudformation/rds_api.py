"""What moto's RDS lacks: a port that can change, resource ids that differ, subnet groups that outlive a change."""

import base64
import hashlib
from typing import Any

from moto.ec2.models.subnets import Subnet
from moto.rds.models import DBInstance, DBSubnetGroup, RDSBackend

_update = DBInstance.update
_create = RDSBackend.create_db_instance
_modify_group = RDSBackend.modify_db_subnet_group


def resource_id(arn: str) -> str:
    """Return the id that IAM policies name a database by."""
    return "db-" + base64.b32encode(hashlib.sha256(arn.encode()).digest()).decode()[:26]


def _created(backend: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
    made = _create(backend, db_kwargs)
    made.dbi_resource_id = resource_id(made.arn)
    return made


def _updated(instance: DBInstance, **given: Any) -> None:
    _update(instance, **given)
    if given.get("db_port_number"):
        instance.port = int(given["db_port_number"])


def _modified(
    backend: RDSBackend, subnet_name: str, description: str, subnets: list[Subnet]
) -> DBSubnetGroup:
    group = _modify_group(backend, subnet_name, description, subnets)
    backend.subnet_groups[subnet_name] = group  # moto takes it out and forgets to put it back
    return group


def install() -> None:
    """Put this into moto."""
    RDSBackend.create_db_instance = _created  # type: ignore[method-assign, assignment]
    RDSBackend.modify_db_subnet_group = _modified  # type: ignore[method-assign, assignment]
    DBInstance.update = _updated  # type: ignore[method-assign, assignment]
