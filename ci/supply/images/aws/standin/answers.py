"""Results and refusals in the shape of the client's protocol."""

import secrets
import warnings
from typing import Any

from moto.core.model import OperationModel
from moto.core.serialize import SerializationContext, get_serializer_class

from . import wire
from .fault import Fault
from .services import Call, Service

_JSON_NAMES = {
    "AccessDenied": "AccessDeniedException",
    "ExpiredToken": "ExpiredTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "NotImplemented": "NotImplementedException",
}
"""What services that speak JSON call the same refusals."""

_EC2_NAMES = {
    "AccessDenied": "UnauthorizedOperation",
    "InvalidClientTokenId": "AuthFailure",
    "SignatureDoesNotMatch": "AuthFailure",
    "ExpiredToken": "RequestExpired",
}


def result(call: Call, content: dict[str, Any]) -> wire.Response:
    """Answer a call with an output that has the shape of botocore's model."""
    return _serialized(call.service, call.operation, content, request_id())


def refusal(service: Service, fault: Fault) -> wire.Response:
    """Answer with an error, under the name and status that the protocol has for it."""
    speaks_json = service.protocol in ("json", "rest-json")
    code, status = fault.code, fault.status
    if speaks_json:
        code = _JSON_NAMES.get(code, code)
    elif service.protocol == "ec2":
        code = _EC2_NAMES.get(code, code)
    if not status:
        status = 400 if service.protocol == "json" else 403
    message = fault.message
    if code == "UnauthorizedOperation":
        message = f"You are not authorized to perform this operation. {message}"
    operation = OperationModel({}, service.model)
    with warnings.catch_warnings():  # moto warns about codes that no model lists, as none of these is
        warnings.simplefilter("ignore")
        answer = _serialized(service, operation, Fault(code, message), request_id())
    return wire.Response(status, answer.body, answer.headers)


def bare_refusal(fault: Fault) -> wire.Response:
    """Answer a request that belongs to no service one could tell."""
    identity = request_id()
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{fault.code}</Code>"
        f"<Message>{_escaped(fault.message)}</Message></Error><RequestId>{identity}</RequestId></ErrorResponse>"
    )
    headers = (("Content-Type", "text/xml"), ("x-amzn-RequestId", identity))
    return wire.Response(fault.status or 403, body.encode(), headers)


def request_id() -> str:
    """Return a request id in AWS's form."""
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _serialized(service: Service, operation: OperationModel, content: Any, identity: str) -> wire.Response:
    maker = get_serializer_class(str(service.model.service_name), service.protocol)
    made = maker(operation, SerializationContext(identity)).serialize(content)
    body = made["body"]
    headers = {**made["headers"], "x-amzn-RequestId": identity}
    return wire.Response(
        int(made["status_code"]),
        body.encode() if isinstance(body, str) else body,
        tuple((str(name), str(value)) for name, value in headers.items()),
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
