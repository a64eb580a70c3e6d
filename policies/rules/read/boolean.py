"""Words that YAML 1.1 takes for booleans."""

from policies.model.system import System
from policies.rule import Found

ID = "READ05"
TITLE = "A value is a boolean in YAML 1.1 and a word in YAML 1.2"
WHY = "kubectl, Argo CD, GitHub and PyYAML do not agree on `yes`, `no`, `on` and `off`."
FIX = "Write true or false, or put the word into quotes."
GOOD = {"gitops/a.yaml": "enabled: true\nanswer: 'no'\n"}
BAD = {"gitops/a.yaml": "enabled: yes\n"}


def check(system: System) -> Found:
    """Report plain scalars of this kind; keys such as a workflow's `on` are none."""
    for fault in system.sources.faults:
        if fault.code == "boolean":
            yield fault.position, f"{fault.message} is true or false to some readers, text to others"
