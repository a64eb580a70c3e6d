"""A rotated password reaches running pods: no request fails, no pod restarts."""

import base64
import json
import secrets
import time

import psycopg
import pytest

from ci.local import aws, database
from tests.e2e.environment import PRODUCT, SELECTOR, Environment, until
from tests.e2e.observers import Writer

# A minute for External Secrets, up to two for the kubelet, seconds for the pods.
SECONDS = 300


def test_rotation_under_load(settled: Environment) -> None:
    client = aws.client(settled.settings, "secretsmanager")
    old = database.credentials(settled.settings)
    new = secrets.token_hex(16)
    pods = _pods(settled)
    content = json.loads(client.get_secret_value(SecretId=database.SECRET)["SecretString"])
    with Writer(settled) as writer:
        time.sleep(2)
        # The order of a rotation in AWS: the database first.
        database.sql(settled.settings, f"ALTER ROLE {old.username} PASSWORD '{new}'")
        (begin,) = database.sql(settled.settings, "SELECT now()").splitlines()
        client.put_secret_value(
            SecretId=database.SECRET, SecretString=json.dumps({**content, "password": new})
        )
        until(lambda: True if _secret(settled)["password"] == new else None, "the Secret is the old one", 120)
        until(
            lambda: None if _connections_before(settled, begin) else True,
            "connections of the old password are left",
            SECONDS,
        )
        time.sleep(5)
    writer.check(settled)
    assert _pods(settled) == pods
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host="127.0.0.1", port=settled.settings.database_port, dbname=old.dbname, user=old.username,
            password=old.password, connect_timeout=5,
        )  # fmt: skip


def test_the_secret_holds_what_the_product_reads_and_nothing_more(settled: Environment) -> None:
    assert set(_secret(settled)) == {"host", "port", "username", "password", "dbname"}


def test_a_secret_deleted_by_hand_comes_back(settled: Environment) -> None:
    before = _secret(settled)
    settled.core.delete_namespaced_secret("database-secrets", PRODUCT)
    until(lambda: True if _secret(settled) == before else None, "the Secret did not come back", 90)


def _secret(environment: Environment) -> dict[str, str]:
    found = [
        each.data or {}
        for each in environment.core.list_namespaced_secret(PRODUCT).items
        if each.metadata.name == "database-secrets"
    ]
    return {key: base64.b64decode(value).decode() for data in found for key, value in data.items()}


def _pods(environment: Environment) -> set[tuple[str, int]]:
    """Name and restarts of each pod."""
    return {
        (pod.metadata.name, sum(state.restart_count for state in pod.status.container_statuses))
        for pod in environment.core.list_namespaced_pod(PRODUCT, label_selector=SELECTOR).items
    }


def _connections_before(environment: Environment, moment: str) -> int:
    """Connections of the product that were made before `moment`."""
    found = database.sql(
        environment.settings,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'eks-app%'"
        f" AND backend_start < '{moment}'",
    )
    return int(found)
