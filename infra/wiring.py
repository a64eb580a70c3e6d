"""Check a wiring file's values, and that they agree with each other."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from ci.settings import Wiring
from infra.checks import Check, matching
from infra.parameters import Refused, in_file

_NAME = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_DOMAIN = matching(rf"(?=.{{1,200}}$){_NAME}(\.{_NAME})+", "slipway.example.com")
_ROLE = matching(r"[\w+=,.@-]{1,64}", "role-github")
_WIRING: Mapping[str, Check[str]] = {
    "account": matching(r"\d{12}", "210987654321"),
    "region": matching(r"[a-z]{2}(-[a-z]+)+-\d", "ap-northeast-1"),
    "registry": matching(
        r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com", "ACCOUNT.dkr.ecr.REGION.amazonaws.com"
    ),
    "repoUrl": matching(r"https://github\.com/[A-Za-z0-9-]+/[\w.-]+", "https://github.com/acme/slipway.git"),
    "domain": _DOMAIN,
    "host": _DOMAIN,
    "clusterName": matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", "slipway-production"),
    "vpcName": matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", "slipway-production"),
}


def read(environment: str, content: Any) -> Wiring:
    """Return the wiring in the content of ENV's file; raise Refused at the first value that cannot stand."""
    data = content.get("data") if isinstance(content, Mapping) else None
    if not isinstance(data, Mapping):
        raise Refused("data", "it is missing")
    found = Wiring(environment, **{item.name: _word(data, in_file(item.name)) for item in fields(Wiring)[1:]})
    for place, why in _relations(found, data.get("environment")):
        raise Refused(f"data.{place}", why)
    return found


def _word(data: Mapping[str, Any], word: str) -> str:
    if word not in data:
        raise Refused(f"data.{word}", "it is missing")
    try:
        return (_ROLE if word.startswith("role") else _WIRING[word])(data[word])
    except ValueError as error:
        raise Refused(f"data.{word}", str(error)) from None


def _relations(wiring: Wiring, environment: Any) -> Iterator[tuple[str, str]]:
    if environment != wiring.environment:
        yield "environment", f"{environment!r} is not the folder's name, '{wiring.environment}'"
    registry = f"{wiring.account}.dkr.ecr.{wiring.region}.amazonaws.com"
    if wiring.registry != registry:
        yield "registry", f"'{wiring.registry}' is not account and region, '{registry}'"
    if not wiring.host.endswith(f".{wiring.domain}"):
        yield "host", f"'{wiring.host}' is not in the domain '{wiring.domain}'"
    roles: dict[str, str] = {}
    for item in fields(Wiring):
        if item.name.startswith("role_"):
            name = getattr(wiring, item.name)
            if name in roles:
                yield in_file(item.name), f"'{name}' is {roles[name]}'s name too"
            roles[name] = in_file(item.name)
