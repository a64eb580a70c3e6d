from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.problem import Problem
from infra.environment import load
from infra.parameters import SECTIONS, in_file
from tests.unit.infra import files

ZONES = ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return files.copy(tmp_path)


def refusal(root: Path, environment: str = "production") -> tuple[str, str]:
    with pytest.raises(Problem) as caught:
        load(environment, root)
    assert len(str(caught.value).splitlines()) == 2
    return caught.value.what, caught.value.fix


@pytest.mark.parametrize("environment", ["local", "production"])
def test_the_repository_s_own_files_are_right(environment: str) -> None:
    found = load(environment)
    assert found.wiring.environment == environment
    assert len(found.parameters.network.private_subnets) == len(found.parameters.network.zones)


@pytest.mark.parametrize("name", ["prod", "", "../production", "Production", "local.yaml"])
def test_an_unknown_environment(root: Path, name: str) -> None:
    assert refusal(root, name) == (f"environment '{name}' is unknown", "--env takes local or production")


@pytest.mark.parametrize(
    ("place", "value", "what"),
    [
        ("protected", "yes", "'yes' is neither true nor false"),
        ("network.cidr", "10.20.0.0", "'10.20.0.0' is not an IPv4 network such as 10.20.0.0/16"),
        ("network.cidr", "10.20.0.0/33", "'10.20.0.0/33' is not an IPv4 network such as 10.20.0.0/16"),
        ("network.cidr", "10.20.0.1/16", "its host bits are not zero"),
        ("network.cidr", "10.0.0.0/8", "10.0.0.0/8 is not between /16 and /22"),
        ("network.cidr", 10, "10 is not an IPv4 network"),
        ("network.zones", ["ap-northeast-1a"], "1 values are given, 2 to 3 are wanted"),
        ("network.zones", "ap-northeast-1a", "'ap-northeast-1a' is no list"),
        ("network.zones", ["ap-northeast-1a", "ap-northeast-1a"], "ap-northeast-1a is there twice"),
        ("network.zones", ["ap-northeast-1a", "us-east-1b"], "'us-east-1b' is not a zone of ap-northeast-1"),
        ("network.natGateways", "two", "'two' is not one of single, per-zone"),
        ("cluster.version", 1.35, '1.35 is no string; write it in quotes, as "1.35"'),
        ("cluster.administrator", "admin", "'admin' is malformed; it is written as role/administrator"),
        ("cluster.nodesMin", 0, "0 is not a whole number from 1 to 450"),
        ("cluster.nodesMin", True, "True is not a whole number"),
        ("cluster.nodesMax", 2, "2 is less than nodesMin, 3"),
        ("cluster.logDays", 8, "8 is not one of 1, 3, 5"),
        ("cluster.kubeProxy", "v1.34.0-eksbuild.2", "'v1.34.0-eksbuild.2' is not of Kubernetes 1.35"),
        ("cluster.apiCidrs", ["0.0.0.0/0"], "0.0.0.0/0 is not between /1 and /32"),
        ("database.port", 80, "80 is not a whole number from 1150 to 65535"),
        ("database.port", 65536, "65536 is not a whole number from 1150 to 65535"),
        ("database.version", "15", "'15' is malformed; it is written as 15.19"),
        ("database.name", "Slipway", "'Slipway' is malformed"),
        ("database.storageMaxGib", 54, "54 is not 10 % above storageGib"),
        ("registry.untaggedDays", 0, "0 is not a whole number from 1 to 365"),
        ("identity.githubOwnerId", "acme", "'acme' is malformed; it is written as 40250163"),
        ("identity.githubOwnerId", "", "'' is malformed"),
        ("identity.migratorUser", "slipway", "'slipway' logs in by password"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_stand_is_named(root: Path, place: str, value: Any, what: str) -> None:
    files.put(files.parameters(root), place, value)
    said, fix = refusal(root)
    assert said.startswith(f"infra/parameters/production.yaml: {place}: ")
    assert what in said
    assert fix == f"correct {place} there; nothing was called"


@pytest.mark.parametrize(
    ("place", "value", "what"),
    [
        ("account", "12345", "'12345' is malformed; it is written as 210987654321"),
        ("account", 210987654321, "210987654321 is no string; write it in quotes"),
        ("region", "tokyo", "'tokyo' is malformed; it is written as ap-northeast-1"),
        ("registry", "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com", "is not account and region"),
        ("repoUrl", "git@github.com:acme/slipway.git", "is malformed"),
        ("repoUrl", "https://github.com/acme/*", "is malformed"),
        ("domain", "slipway", "'slipway' is malformed; it is written as slipway.example.com"),
        ("domain", "-slipway.example.com", "is malformed"),
        ("domain", "sli_pway.example.com", "is malformed"),
        ("host", "ledger.slipway.example.org", "is not in the domain 'slipway.example.com'"),
        ("clusterName", "slipway production", "is malformed"),
        ("roleGithub", "role github", "is malformed"),
        ("roleSecrets", "role-github", "'role-github' is roleGithub's name too"),
        ("environment", "local", "'local' is not the folder's name, 'production'"),
    ],
)  # fmt: skip
def test_a_wiring_that_cannot_stand_is_named(root: Path, place: str, value: Any, what: str) -> None:
    files.put(files.wiring(root), f"data.{place}", value)
    said, _ = refusal(root)
    assert said.startswith(f"gitops/wiring/production/wiring.yaml: data.{place}: ")
    assert what in said


def keys() -> Iterator[tuple[str, bool]]:
    yield "protected", True
    for section, kind in SECTIONS.items():
        yield section, True
        for item in fields(kind):
            yield f"{section}.{in_file(item.name)}", not item.name.endswith("_subnets")


@pytest.mark.parametrize(("place", "needed"), list(keys()))
def test_a_missing_key_is_named_where_it_is_needed(root: Path, place: str, needed: bool) -> None:
    def drop(data: Any) -> None:
        *way, last = place.split(".")
        for name in way:
            data = data[name]
        data.pop(last, None)

    files.edit(files.parameters(root), drop)
    if needed:
        assert refusal(root)[0] == f"infra/parameters/production.yaml: {place}: it is missing"
    else:
        load("production", root)


@pytest.mark.parametrize(("place", "shown"), [("colour", "colour"), ("network.colour", "network.colour")])
def test_an_unknown_parameter_is_named(root: Path, place: str, shown: str) -> None:
    files.put(files.parameters(root), place, "red")
    assert f"{shown}: no such parameter; there are " in refusal(root)[0]


def subnets(root: Path, public: list[str], private: list[str]) -> None:
    files.put(files.parameters(root), "network.zones", ZONES[:2])
    files.put(files.parameters(root), "network.publicSubnets", public)
    files.put(files.parameters(root), "network.privateSubnets", private)


def test_given_subnets_are_taken(root: Path) -> None:
    subnets(root, ["10.20.0.0/24", "10.20.1.0/24"], ["10.20.64.0/20", "10.20.80.0/20"])
    assert [str(one) for one in load("production", root).parameters.network.public_subnets] == [
        "10.20.0.0/24", "10.20.1.0/24",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("public", "private", "what"),
    [
        (["10.20.0.0/24", "10.20.0.0/25"], ["10.20.64.0/20", "10.20.80.0/20"],
         "network.publicSubnets[1]: 10.20.0.0/25 overlaps network.publicSubnets[0] 10.20.0.0/24"),
        (["10.20.64.0/24", "10.20.1.0/24"], ["10.20.64.0/20", "10.20.80.0/20"],
         "network.publicSubnets[0]: 10.20.64.0/24 overlaps network.privateSubnets[0] 10.20.64.0/20"),
        (["10.21.0.0/24", "10.20.1.0/24"], ["10.20.64.0/20", "10.20.80.0/20"],
         "network.publicSubnets[0]: 10.21.0.0/24 is outside the VPC's 10.20.0.0/16"),
        (["10.20.0.0/24", "10.20.1.0/24", "10.20.2.0/24"], ["10.20.64.0/20", "10.20.80.0/20"],
         "network.publicSubnets: 3 subnets are given for 2 zones"),
        (["10.20.0.0/29", "10.20.1.0/24"], ["10.20.64.0/20", "10.20.80.0/20"],
         "network.publicSubnets: 10.20.0.0/29 is not between /16 and /28"),
    ],
)  # fmt: skip
def test_subnets_that_do_not_fit(root: Path, public: list[str], private: list[str], what: str) -> None:
    subnets(root, public, private)
    assert refusal(root)[0] == f"infra/parameters/production.yaml: {what}"


@pytest.mark.parametrize(("text", "what"), [
    ("network: [", ", line 1: this is no YAML"),
    ("- a", ": the file: ['a'] is no mapping of keys to values"),
    ("", ": the file: None is no mapping of keys to values"),
])  # fmt: skip
def test_a_file_that_holds_no_parameters(root: Path, text: str, what: str) -> None:
    files.parameters(root).write_text(text)
    assert refusal(root)[0] == f"infra/parameters/production.yaml{what}"


def test_an_environment_without_wiring(root: Path) -> None:
    files.wiring(root).unlink()
    assert refusal(root)[0] == "gitops/wiring/production/wiring.yaml is missing"


def test_both_environments_set_the_same_keys(root: Path) -> None:
    given = [yaml.safe_load(files.parameters(root, name).read_text()) for name in ("local", "production")]
    names = [
        {section: sorted(keys) if isinstance(keys, dict) else None for section, keys in data.items()}
        for data in given
    ]
    assert names[0] == names[1]
