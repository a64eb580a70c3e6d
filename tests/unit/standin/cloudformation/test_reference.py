from pathlib import Path

from standin.cloudformation import reference
from standin.cloudformation.actions import ACTIONS
from standin.cloudformation.functions import CONDITIONAL, FUNCTIONS

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "cloudformation-stand-in.md"


def test_the_table_of_types_is_what_the_adapters_say() -> None:
    text = PAGE.read_text()
    table = text.partition("a test compares -->\n")[2].partition("\n<!-- end -->")[0]
    assert table.splitlines() == reference.rows()


def test_every_action_is_named() -> None:
    section = PAGE.read_text().partition("## Actions\n")[2].partition("boto3's waiters")[0]
    named = {word.strip(".,") for word in section.replace(" (CREATE, UPDATE)", "").split()}
    assert named == ACTIONS.keys()


def test_every_function_is_named() -> None:
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith("| Ref, GetAtt"))
    named = set(row.split("|")[1].strip().split(", "))
    assert named == {name.removeprefix("Fn::") for name in FUNCTIONS | dict.fromkeys(CONDITIONAL)} - {
        "Condition"
    }
