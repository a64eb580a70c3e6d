"""The one error a user sees: what is wrong, and what to do about it."""


class Problem(Exception):
    """An expected failure, shown as two lines and exit code 1, never as a traceback.

    `what` names the fact in the user's words; `fix` is the next thing to type or change.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"error: {self.what}\n  fix: {self.fix}"
