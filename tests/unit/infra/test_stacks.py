from dataclasses import fields, replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from infra import template
from infra.environment import CONCERNS, check, load
from infra.parameters import SECTIONS
from infra.stacks import Output, catalogue

ENVIRONMENTS = ("local", "production")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_template_gets_exactly_its_parameters(environment: str) -> None:
    for stack in catalogue(load(environment)):
        assert sorted(stack.inputs) == sorted(template.parse(stack.template)["Parameters"]), stack.name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_outputs_come_from_earlier_stacks_that_tell_them(environment: str) -> None:
    told: dict[str, set[str]] = {}
    for stack in catalogue(load(environment)):
        for value in stack.inputs.values():
            if isinstance(value, Output):
                assert value.name in told[value.concern], f"{stack.name}: {value}"
        told[stack.concern] = set(template.parse(stack.template)["Outputs"])


def test_names_order_tags_and_protection() -> None:
    stacks = catalogue(load("production"))
    assert [stack.name for stack in stacks] == [f"slipway-production-{concern}" for concern in CONCERNS]
    assert stacks[1].tags == {
        "slipway:environment": "production",
        "slipway:stack": "slipway-production-cluster",
    }
    assert all(stack.protected for stack in stacks)
    assert not any(stack.protected for stack in catalogue(load("local")))


def test_two_zones_leave_the_third_empty() -> None:
    network = catalogue(load("local"))[0].inputs
    assert [network[f"{word}C"] for word in ("Zone", "PublicCidr", "PrivateCidr")] == ["", "", ""]


OTHER: dict[str, Any] = {
    "cidr": IPv4Network("10.99.0.0/16"), "zones": ("ap-northeast-1a", "ap-northeast-1d"),
    "public_subnets": (IPv4Network("10.20.250.0/24"), IPv4Network("10.20.251.0/24"), IPv4Network("10.20.252.0/24")),
    "private_subnets": (IPv4Network("10.20.0.0/20"), IPv4Network("10.20.16.0/20"), IPv4Network("10.20.32.0/20")),
    "api_cidrs": (IPv4Network("198.51.100.0/24"),), "instance_types": ("m7i.xlarge",), "nat_gateways": "single",
    "version": "14.20", "kube_proxy": "v1.35.1-eksbuild.9",
}  # fmt: skip
"""Values that differ from production's; others are made: a longer word, a higher number, the other flag."""


def other(name: str, value: Any) -> Any:
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}0"


@pytest.mark.parametrize(
    ("section", "name"), [(section, item.name) for section, kind in SECTIONS.items() for item in fields(kind)]
)
def test_every_parameter_reaches_a_template(section: str, name: str) -> None:
    before = load("production")
    # as the file gives them: without subnets, so that they follow cidr and zones
    bare = replace(before.parameters.network, public_subnets=(), private_subnets=())
    given = replace(before.parameters, network=bare)
    part = getattr(given, section)
    changed = replace(given, **{section: replace(part, **{name: other(name, getattr(part, name))})})
    if (section, name) == ("cluster", "version"):
        changed = replace(
            given, cluster=replace(given.cluster, version="1.36", kube_proxy="v1.36.0-eksbuild.1")
        )
    after = replace(before, parameters=check(changed, before.wiring.region))
    assert [stack.inputs for stack in catalogue(after)] != [stack.inputs for stack in catalogue(before)]
