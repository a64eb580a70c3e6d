"""How things fail: a request that AWS would refuse, and a resource that could not be made."""


class Fault(Exception):
    """A request is refused; `code` and `message` are what a client of AWS sees."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class Failure(Exception):
    """A resource's operation failed; the text becomes the reason in the stack's events."""


def invalid(message: str) -> Fault:
    """Return the fault that CloudFormation uses for nearly everything."""
    return Fault("ValidationError", message)
