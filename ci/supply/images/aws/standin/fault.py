"""A refusal, as a client of AWS sees it."""


class Fault(Exception):
    """A request is refused with an error code, a message and an HTTP status.

    A status of 0 means that the protocol decides: 400 for JSON, 403 elsewhere, as AWS does for
    everything about credentials and permissions.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> Fault:
    """Return the fault for a parameter that is missing or makes no sense."""
    return Fault("ValidationError", message)
