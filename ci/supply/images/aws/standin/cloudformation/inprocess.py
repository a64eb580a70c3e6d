"""The engine beside a moto of its own, in one process and without the gate: for tests of templates.

    clients = inprocess.clients()
    engine = CloudFormation(clients)
    stacks = inprocess.client(engine, clients, "123456789012", "ap-northeast-1")   # boto3's cloudformation

Nothing is authorised and nothing is kept; every account is reachable with any key.
"""

import functools
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.datastructures import MultiDict
from werkzeug.test import EnvironBuilder, run_wsgi_app

from .fault import Fault
from .world import Clients

KEY = "AKIASLIPWAYINPROCESS"
Handler = Callable[[AWSPreparedRequest, str, str], tuple[int, dict[str, str], bytes]]
"""(request, account, operation) -> (status, headers, body)."""


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Any:
        """Give the whole body at once."""
        yield self.read()


def clients() -> Clients:
    """Return what makes clients of a moto in this process."""
    application = DomainDispatcherApplication(create_backend_app)

    def send(request: AWSPreparedRequest, account: str, operation: str) -> tuple[int, dict[str, str], bytes]:
        url = urlsplit(request.url)
        headers = {
            name: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        body = request.body.read() if hasattr(request.body, "read") else request.body
        builder = EnvironBuilder(
            path=url.path or "/", query_string=url.query, method=request.method, base_url=f"https://{url.netloc}/",
            headers=headers | {"x-moto-account-id": account}, data=body or b"",
        )  # fmt: skip
        content, status, found = run_wsgi_app(application, builder.get_environ())
        return int(status.split()[0]), dict(found), b"".join(content)

    @functools.cache
    def make(service: str, account: str, region: str) -> Any:
        return _made(service, account, region, send)

    return make


def client(engine: Any, others: Clients, account: str, region: str, service: str = "cloudformation") -> Any:
    """Return a boto3 client: cloudformation reaches `engine`, everything else moto."""
    if service != "cloudformation":
        return others(service, account, region)
    return _made(
        "cloudformation",
        account,
        region,
        lambda request, _, operation: answer(engine, account, region, operation, request.body),
    )


def answer(
    engine: Any, account: str, region: str, operation: str, body: Any
) -> tuple[int, dict[str, str], bytes]:
    """Answer a request of the query protocol."""
    model = get_service_model("cloudformation")
    known = model.operation_model(operation)
    values = MultiDict(_pairs(body))
    asked: Any = {
        "method": "POST",
        "values": values,
        "headers": {},
        "body": b"",
        "url_path": "/",
        "url_params": {},
    }
    maker = get_serializer_class("cloudformation", "query")(known, SerializationContext("inprocess"))
    result: Any
    try:
        result = engine(
            account, region, operation, dict(PROTOCOL_PARSERS["query"](known, map_type=dict).parse(asked))
        )
    except Fault as fault:
        text = "".join(
            {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(letter, letter) for letter in fault.message
        )
        error = f"<ErrorResponse><Error><Type>Sender</Type><Code>{fault.code}</Code><Message>{text}</Message></Error></ErrorResponse>"
        return fault.status, {"Content-Type": "text/xml"}, error.encode()
    made = maker.serialize(result)
    content = made["body"]
    return (
        int(made["status_code"]),
        {"Content-Type": "text/xml"},
        content.encode() if isinstance(content, str) else content,
    )


def _pairs(body: Any) -> list[tuple[str, str]]:
    text = body.decode() if isinstance(body, bytes) else str(body)
    return parse_qsl(text, keep_blank_values=True)


@functools.cache
def _session() -> Any:
    # One for all: it keeps the services' models, which take long to read.
    return boto3.session.Session(aws_access_key_id=KEY, aws_secret_access_key=KEY)


def _made(service: str, account: str, region: str, handler: Handler) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    made = _session().client(service, region_name=region, config=config)

    def send(request: AWSPreparedRequest, event_name: str = "", **_: Any) -> AWSResponse:
        status, headers, body = handler(request, account, event_name.rpartition(".")[2])
        return AWSResponse(request.url, status, headers, _Body(body))

    made.meta.events.register("before-send", send)
    return made
