"""An issuer of web identity tokens with real keys, and every way in which a token can be wrong."""

import base64
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm


class Issuer:
    """Signs tokens as `url`; `jwks` is what it would publish."""

    def __init__(self, url: str, algorithm: str = "RS256", kid: str = "key-1") -> None:
        self.url = url
        self.algorithm = algorithm
        self.kid = kid
        self.key: Any = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )
        kind: Any = RSAAlgorithm if algorithm == "RS256" else ECAlgorithm
        public = json.loads(kind.to_jwk(self.key.public_key()))
        self.jwks: dict[str, Any] = {"keys": [{**public, "kid": kid, "alg": algorithm, "use": "sig"}]}

    def token(self, subject: str, audience: Any = "sts.amazonaws.com", **changes: Any) -> str:
        """Sign a token of ten minutes; `changes` replace claims, and None takes one away."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": subject, "aud": audience, "iat": now, "nbf": now, "exp": now + 600}
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return self.sign(claims)

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode(claims, self.key, self.algorithm, headers={"kid": self.kid, **header})

    def service_account(self, namespace: str, name: str, **changes: Any) -> str:
        """Sign what the API server would give a pod of this ServiceAccount."""
        return self.token(f"system:serviceaccount:{namespace}:{name}", **changes)


def unsigned(token: str) -> str:
    """The same claims under `alg: none`."""
    return f"{segment({'alg': 'none', 'typ': 'JWT', 'kid': 'key-1'})}.{token.split('.')[1]}."


def with_claims(token: str, **changes: Any) -> str:
    """The same header and signature around other claims."""
    header, claims, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return f"{header}.{segment(content | changes)}.{signature}"


def segment(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
