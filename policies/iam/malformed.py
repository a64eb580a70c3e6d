"""The error of a policy document that AWS would not accept, with the position inside the document."""


class Malformed(Exception):
    """A policy document breaks the policy language.

    `where` is the position inside the document, such as `Statement[1].Condition.StringEqualz`; `why` says
    what is wrong there.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why
