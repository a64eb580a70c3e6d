"""The control plane: for whom it is, and what it takes."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from standin import wire
from standin.faults import ECR_TOKEN_SECONDS, Faults

from tests.unit.standin.cloud import Cloud
from tests.unit.standin.tokens import Issuer

ISSUER = "https://issuer.example"


@pytest.mark.parametrize("secret", ["", "wrong", "control-secret "])
def test_it_takes_the_secret(cloud: Cloud, cluster: Issuer, secret: str) -> None:
    assert cloud.put("issuers", {"issuer": ISSUER, "jwks": cluster.jwks}, secret).status == 401
    assert cloud.put("settings", {}, secret).status == 401


def test_without_a_secret_nobody_is_trusted(cloud: Cloud) -> None:
    (cloud.secrets / "control").write_text("")
    cloud.start()
    assert cloud.put("settings", {}, "").status == 401


def test_health_is_for_everybody(cloud: Cloud) -> None:
    answer = cloud.gate.answer(wire.Request("GET", "/_slipway/health"))
    assert (answer.status, json.loads(answer.body)) == (200, {"replayed": 0, "failed": []})


def test_there_is_nothing_else(cloud: Cloud) -> None:
    assert cloud.put("other", {}).status == 404


@pytest.mark.parametrize("issuer", ["http://issuer.example", "issuer.example", "", None, "https://"])
def test_an_issuer_is_an_https_url(cloud: Cloud, cluster: Issuer, issuer: Any) -> None:
    assert cloud.put("issuers", {"issuer": issuer, "jwks": cluster.jwks}).status == 400


def private() -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {**json.loads(RSAAlgorithm.to_jwk(key)), "kid": "a"}


@pytest.mark.parametrize(
    "jwks",
    [{}, {"keys": []}, {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}, {"keys": [{"kty": "X"}]},
     {"keys": [private()]}, {"keys": ["x"]}, "x", None],
)  # fmt: skip
def test_keys_are_public_keys(cloud: Cloud, jwks: Any) -> None:
    answer = cloud.put("issuers", {"issuer": ISSUER, "jwks": jwks})
    assert (answer.status, "error" in json.loads(answer.body)) == (400, True)


@pytest.mark.parametrize(
    "settings",
    [[], {"other": 1}, {"ecr_token_seconds": 0}, {"ecr_token_seconds": True}, {"ecr_token_seconds": 43201},
     {"delay_seconds": {"ecr": -1}}, {"delay_seconds": {"ecr": "1"}}, {"delay_seconds": 1},
     {"fail_status": {"ecr": 200}}, {"fail_status": {"E C R": 500}}],
)  # fmt: skip
def test_settings_that_make_no_sense(cloud: Cloud, settings: Any) -> None:
    assert cloud.put("settings", settings).status == 400


def test_what_is_no_json(cloud: Cloud) -> None:
    assert cloud.put("settings", b"{").status == 400


def test_settings_are_taken_whole() -> None:
    waited: list[float] = []
    faults = Faults(waited.append)
    faults.set({"delay_seconds": {"ecr": 11}, "fail_status": {"sts": 500}, "ecr_token_seconds": 60})
    assert (faults.strike("ecr"), faults.strike("sts"), faults.strike("iam")) == (None, 500, None)
    assert waited == [11]
    assert faults.settings.ecr_token_seconds == 60
    faults.set({})
    assert (faults.strike("ecr"), faults.strike("sts")) == (None, None)
    assert waited == [11]
    assert faults.settings.ecr_token_seconds == ECR_TOKEN_SECONDS
