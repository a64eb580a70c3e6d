"""Signatures made by botocore itself, verified; and each part of a request changed afterwards."""

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from standin import signature, wire
from standin.fault import Fault

from tests.unit.standin.cloud import REGION, Cloud

SECRET = "secret-of-123456789012"
RECORD = {"Name": "a.example.com", "Type": "TXT", "TTL": 5, "ResourceRecords": [{"Value": '"x y"'}]}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("acm", "list_certificates", {}),
    ("cloudformation", "validate_template", {"TemplateBody": "{}"}),
    ("ec2", "describe_vpcs", {"Filters": [{"Name": "cidr", "Values": ["10.0.0.0/16", "a b+c"]}]}),
    ("ecr", "describe_repositories", {}),
    ("eks", "describe_cluster", {"name": "a"}),
    ("elbv2", "describe_load_balancers", {}),
    ("events", "list_rules", {}),
    ("iam", "list_roles", {"PathPrefix": "/a b/"}),
    ("logs", "describe_log_groups", {}),
    ("rds", "describe_db_instances", {}),
    ("resourcegroupstaggingapi", "get_resources", {}),
    ("route53", "list_resource_record_sets", {"HostedZoneId": "Z1", "StartRecordName": "*.ex ample.com"}),
    ("route53", "change_resource_record_sets",
     {"HostedZoneId": "Z1", "ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": RECORD}]}}),
    ("s3", "put_object", {"Bucket": "b", "Key": "k ü/x+y", "Body": b"abc"}),
    ("secretsmanager", "get_secret_value", {"SecretId": "ü/x y"}),
    ("sts", "get_caller_identity", {}),
]  # fmt: skip


def sent(cloud: Cloud, service: str, operation: str, parameters: dict[str, Any]) -> wire.Request:
    with contextlib.suppress(ClientError):  # what it comes to is not the question here
        getattr(cloud.client(service), operation)(**parameters)
    return cloud.sent


def verify(request: wire.Request, secret: str = SECRET, now: float | None = None) -> None:
    found = signature.read(request)
    assert found is not None
    signature.verify(request, found, secret, time.time() if now is None else now)


@pytest.mark.parametrize(("service", "operation", "parameters"), CALLS, ids=lambda value: str(value)[:20])
def test_what_botocore_signs_is_verified(
    cloud: Cloud, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    request = sent(cloud, service, operation, parameters)
    verify(request)
    with pytest.raises(Fault) as caught:
        verify(request, "another secret")
    assert (caught.value.code, caught.value.status) == ("SignatureDoesNotMatch", 0)


def _header(name: str, value: str) -> Callable[[wire.Request], wire.Request]:
    return lambda request: replace(request, headers={**request.headers, name: value})


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, method="PUT"),
        lambda request: replace(request, path="/other"),
        lambda request: replace(request, query="a=b"),
        lambda request: replace(request, body=request.body + b" "),
        _header("host", "elsewhere:4566"),
        _header("x-amz-target", "secretsmanager.DeleteSecret"),
        _header("x-amz-security-token", "added"),
        _header("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        _header("x-amz-content-sha256", "0" * 64),
        lambda request: request.without("x-amz-target"),
    ],
)
def test_a_request_changed_on_its_way_is_refused(
    cloud: Cloud, change: Callable[[wire.Request], wire.Request]
) -> None:
    request = sent(cloud, "secretsmanager", "get_secret_value", {"SecretId": "a"})
    with pytest.raises(Fault) as caught:
        verify(change(request))
    assert caught.value.code == "SignatureDoesNotMatch"


def test_the_true_hash_of_a_body_changes_nothing(cloud: Cloud) -> None:
    """Go's SDK states it for some services, others leave it out."""
    request = sent(cloud, "s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"abc"})
    verify(request)
    with pytest.raises(Fault):
        verify(replace(request, body=b"abd"))


@pytest.mark.parametrize(("age", "fits"), [(-299, True), (-301, False), (299, True), (301, False)])
def test_a_signature_is_good_for_five_minutes(cloud: Cloud, age: int, fits: bool) -> None:
    request = sent(cloud, "sts", "get_caller_identity", {})
    made = dt.datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    now = made.timestamp() + age
    if fits:
        verify(request, now=now)
        return
    with pytest.raises(Fault, match=r"Signature (expired|not yet current): \d+T\d+Z") as caught:
        verify(request, now=now)
    assert caught.value.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sts", "get_caller_identity", {}),
        ("ec2", "describe_vpcs", {}),
        ("s3", "get_object", {"Bucket": "b", "Key": "k/ü x"}),
    ],
)
def test_presigned_urls(cloud: Cloud, service: str, operation: str, parameters: dict[str, Any]) -> None:
    url = cloud.client(service).generate_presigned_url(operation, parameters, ExpiresIn=60)
    path, _, query = url.removeprefix("http://slipway-aws:4566").partition("?")
    method = "POST" if service in ("sts", "ec2") else "GET"
    request = wire.Request(method, path or "/", query, {"host": "slipway-aws:4566"})
    verify(request)
    with pytest.raises(Fault, match="Signature expired"):
        verify(request, now=time.time() + 62)
    for wrong in (
        replace(request, query=query.replace("X-Amz-Expires=60", "X-Amz-Expires=600")),
        replace(request, query=query.replace(REGION, "us-east-1")),
        replace(request, query=query + "&Action=DeleteVpc"),
    ):
        with pytest.raises(Fault) as caught:
            verify(wrong)
        assert caught.value.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("AWS4-HMAC-SHA1 Credential=a", "algorithm"),
        ("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0", "Credential"),
        ("AWS4-HMAC-SHA256 Credential=A/20260101/r/s/aws4_request, Signature=0", "SignedHeaders"),
        ("AWS4-HMAC-SHA256 Credential=A/20260101/r/s/aws4_request, SignedHeaders=host", "Signature"),
        ("AWS4-HMAC-SHA256 Credential=A/2026/r/s/aws4_request, SignedHeaders=host, Signature=0", "2026"),
        ("Bearer x", "algorithm"),
    ],
)
def test_headers_that_cannot_be_read(header: str, word: str) -> None:
    request = wire.Request("POST", "/", headers={"authorization": header, "x-amz-date": "20260101T000000Z"})
    with pytest.raises(Fault, match=word) as caught:
        signature.read(request)
    assert (caught.value.code, caught.value.status) == ("IncompleteSignature", 400)


def test_unsigned_requests_have_no_signature() -> None:
    assert signature.read(wire.Request("POST", "/", "Action=X")) is None


def test_a_date_of_another_day_than_the_scope(cloud: Cloud) -> None:
    request = sent(cloud, "sts", "get_caller_identity", {})
    found = signature.read(request)
    assert found is not None
    with pytest.raises(Fault, match="Date in Credential scope") as caught:
        signature.verify(request, replace(found, date="20200101"), SECRET, time.time())
    assert caught.value.code == "SignatureDoesNotMatch"
