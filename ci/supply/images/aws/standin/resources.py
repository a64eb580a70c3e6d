"""Which resources a call touches, and the condition keys that go with it.

Exact for what the product's workloads use; everything else counts as resource `*`, which only a
policy that itself says `*` allows. Too strict there, never too lenient.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.ecr.models import ecr_backends
from moto.secretsmanager.models import secretsmanager_backends

from .fault import Fault
from .principals import Operator, Principal, RoleSession
from .services import Call

Context = dict[str, tuple[str, ...]]

_SECRET_ARN = re.compile(r"arn:aws:secretsmanager:([a-z0-9-]+):(\d{12}):secret:(.+)")


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to be decided: an action on a resource, with what is special to that resource."""

    action: str
    resource: str = "*"
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def targets(call: Call, principal: Principal) -> list[Target]:
    """Return everything that has to be allowed for the call to go on."""
    finder = _FINDERS.get(call.service.name)
    return finder(call, principal.account) if finder else [Target(call.action)]


def context(call: Call, principal: Principal, address: str, now: float) -> Context:
    """Return the condition keys that every request has, and those of its tags."""
    found: Context = {
        "aws:currenttime": (dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(now)),),
        "aws:principalaccount": (principal.account,),
        "aws:principalarn": (principal.role_arn if isinstance(principal, RoleSession) else principal.arn,),
        "aws:principaltype": ("User" if isinstance(principal, Operator) else "AssumedRole",),
        "aws:requestedregion": (call.region,),
        "aws:resourceaccount": (principal.account,),
        "aws:securetransport": ("true",),  # AWS's endpoints are; this one is plain HTTP in their place
        "aws:userid": (principal.user_id,),
    }
    if address:
        found["aws:sourceip"] = (address,)
    tags = _tags(call.parameters.get("Tags") or call.parameters.get("tags"))
    found |= {f"aws:requesttag/{key.lower()}": (value,) for key, value in tags.items()}
    if tags:
        found["aws:tagkeys"] = tuple(tags)
    return found


def _secrets(call: Call, account: str) -> list[Target]:
    name = call.operation.name
    if name == "BatchGetSecretValue":
        listed = call.parameters.get("SecretIdList") or ()
        return [Target(call.action)] + [
            _secret("secretsmanager:GetSecretValue", call, account, str(one)) for one in listed
        ]
    if name == "CreateSecret":
        created = str(call.parameters.get("Name", ""))
        return [Target(call.action, f"arn:aws:secretsmanager:{call.region}:{account}:secret:{created}")]
    wanted = call.parameters.get("SecretId")
    return [Target(call.action) if wanted is None else _secret(call.action, call, account, str(wanted))]


def _secret(action: str, call: Call, account: str, wanted: str) -> Target:
    """A secret by name, ARN, or ARN without its random end; moto would take any account's ARN."""
    named = _SECRET_ARN.fullmatch(wanted)
    extra: Context = {"secretsmanager:secretid": (wanted,)}
    if stage := call.parameters.get("VersionStage"):
        extra["secretsmanager:versionstage"] = (str(stage),)
    if named is None:
        arn = f"arn:aws:secretsmanager:{call.region}:{account}:secret:{wanted}"
    elif (named[1], named[2]) != (call.region, account):
        raise Fault("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    else:
        arn = wanted
    for secret in list(dict.values(secretsmanager_backends[account][call.region].secrets)):
        if wanted in (secret.name, secret.arn, secret.arn[:-7]):
            arn = str(secret.arn)
            extra |= _resource_tags(secret.tags, "secretsmanager")
    return Target(action, arn, extra)


def exists(call: Call, account: str) -> bool:
    """Whether the ARNs in the call name secrets in full; moto would overlook a wrong random end."""
    if call.service.name != "secretsmanager":
        return True
    asked = [call.parameters.get("SecretId"), *(call.parameters.get("SecretIdList") or ())]
    stored = list(dict.values(secretsmanager_backends[account][call.region].secrets))
    known = {arn for secret in stored for arn in (secret.arn, secret.arn[:-7])}
    return all(wanted in known for wanted in map(str, asked) if _SECRET_ARN.fullmatch(wanted))


def _zones(call: Call, _account: str) -> list[Target]:
    asked = call.parameters
    zones = [asked.get("HostedZoneId")]
    if call.operation.name == "GetHostedZone":
        zones = [asked.get("Id")]
    elif call.operation.name == "GetChange":
        return [Target(call.action, f"arn:aws:route53:::change/{_bare(asked.get('Id'))}")]
    elif asked.get("ResourceType") == "hostedzone":
        zones = list(asked.get("ResourceIds") or [asked.get("ResourceId")])
    named = [zone for zone in zones if zone]
    if not named:
        return [Target(call.action)]
    extra = _record_keys(asked.get("ChangeBatch") or {})
    return [Target(call.action, f"arn:aws:route53:::hostedzone/{_bare(zone)}", extra) for zone in named]


def _record_keys(batch: Mapping[str, Any]) -> Context:
    """The condition keys of ChangeResourceRecordSets: names without final dot, types, actions."""
    changes = batch.get("Changes") or ()
    if not changes:
        return {}
    prefix = "route53:changeresourcerecordsets"
    records = [change["ResourceRecordSet"] for change in changes]
    return {
        f"{prefix}normalizedrecordnames": tuple(str(r["Name"]).lower().rstrip(".") for r in records),
        f"{prefix}recordtypes": tuple(str(record["Type"]) for record in records),
        f"{prefix}actions": tuple(str(change["Action"]) for change in changes),
    }


def _repositories(call: Call, account: str) -> list[Target]:
    if call.operation.name == "GetAuthorizationToken":
        return [Target(call.action)]
    asked = call.parameters
    names = [asked["repositoryName"]] if asked.get("repositoryName") else asked.get("repositoryNames")
    if not names and call.operation.name != "DescribeRepositories":
        return [Target(call.action)]
    registry = str(asked.get("registryId") or account)
    return [repository(call.action, registry, call.region, str(name)) for name in names or ["*"]]


def repository(action: str, account: str, region: str, name: str) -> Target:
    """Return the target of an action on an ECR repository."""
    arn = f"arn:aws:ecr:{region}:{account}:repository/{name}"
    backend = ecr_backends[account][region]
    tags = backend.tagger.get_tag_dict_for_resource(arn) if name in backend.repositories else {}
    return Target(action, arn, _resource_tags(tags, "ecr"))


def _assumed(call: Call, _account: str) -> list[Target]:
    return [Target(call.action, str(call.parameters.get("RoleArn", "*")))]


def _resource_tags(tags: Any, service: str) -> Context:
    return {
        f"{prefix}:resourcetag/{key.lower()}": (value,)
        for key, value in _tags(tags).items()
        for prefix in ("aws", service)
    }


def _tags(tags: Any) -> dict[str, str]:
    """Read tags in any of the shapes services have: a mapping, or a list of keys and values."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    if not isinstance(tags, Iterable) or isinstance(tags, str):
        return {}
    pairs = [tag for tag in tags if isinstance(tag, Mapping)]
    return {str(t.get("Key") or t.get("key")): str(t.get("Value") or t.get("value") or "") for t in pairs}


def _bare(identifier: Any) -> str:
    return str(identifier).rpartition("/")[2]


_FINDERS: Mapping[str, Callable[[Call, str], list[Target]]] = {
    "ecr": _repositories,
    "route53": _zones,
    "secretsmanager": _secrets,
    "sts": _assumed,
}
