"""The stand-in's CloudFormation over moto, in this process, behind what a boto3 client looks like."""

import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ci.settings import ROOT

sys.path.insert(0, str(ROOT / "ci" / "supply" / "images" / "aws"))

from standin.cloudformation import CloudFormation, Fault


class World:
    """One stand-in: `clients(account)` gives clients as a session of that account would."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.engine = CloudFormation(self.client)

    @cache  # noqa: B019 - lives as long as the test
    def client(self, service: str, account: str, region: str) -> Any:
        made = boto3.client(service, region, aws_access_key_id="test", aws_secret_access_key="test")

        def name_account(request: Any, **_: Any) -> None:
            request.headers["x-moto-account-id"] = account

        made.meta.events.register(
            f"before-sign.{made.meta.service_model.service_id.hyphenize()}", name_account
        )
        return made

    def clients(self, account: str) -> Any:
        def get(service: str) -> Any:
            if service == "cloudformation":
                return Client(self.engine, account, self.region)
            return self.client(service, account, self.region)

        return get


class Client:
    """CloudFormation's client: the engine's answers, its faults as ClientError."""

    class exceptions:  # noqa: N801 - boto3's name
        ClientError = ClientError

    def __init__(self, engine: CloudFormation, account: str, region: str) -> None:
        self._engine, self._account, self._region = engine, account, region

    def __getattr__(self, name: str) -> Any:
        action = "".join(word.capitalize() for word in name.split("_"))

        def call(**parameters: Any) -> Any:
            try:
                return self._engine(self._account, self._region, action, parameters)
            except Fault as fault:
                error = {"Error": {"Code": fault.code, "Message": fault.message}}
                raise ClientError(error, action) from None

        return call

    def get_paginator(self, name: str) -> "_Pages":
        return _Pages(getattr(self, re.sub(r"[^a-z_]", "", name)))


class _Pages:
    def __init__(self, call: Any) -> None:
        self._call = call

    def paginate(self, **parameters: Any) -> Iterator[Any]:
        token: dict[str, str] = {}
        while True:
            page = self._call(**parameters, **token)
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}
