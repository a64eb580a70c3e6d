"""Our IAM evaluator: one library for the stand-in's authorisation and for the policies' static questions.

It depends on the standard library only and does no I/O. docs/reference/iam-evaluator.md tells what it
understands and where it stops.
"""

from policies.iam.document import Policy, Statement, parse
from policies.iam.evaluation import Decision, Request, decide
from policies.iam.malformed import Malformed

__all__ = ["Decision", "Malformed", "Policy", "Request", "Statement", "decide", "parse"]
