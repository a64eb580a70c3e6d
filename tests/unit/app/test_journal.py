import pytest

from migration.journal import LONGEST_MESSAGE, Journal
from migration.report import data, reporter


def test_secrets_are_hidden_as_they_are_and_in_urls(capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal("v1.2.3")
    journal.hide("p w/1")
    journal.hide("p w")
    journal.say("one p w/1 two p%20w%2F1 three p w")
    assert journal.message == "one *** two *** three ***"
    assert capsys.readouterr().out.endswith(" one *** two *** three ***\n")


def test_message_keeps_the_last_words() -> None:
    journal = Journal("v1.2.3")
    for number in range(1000):
        journal.say(f"line {number}")
    assert len(journal.message) == LONGEST_MESSAGE
    assert journal.message.endswith("\nline 998\nline 999")


def test_report_of_a_new_run_removes_what_an_earlier_one_left() -> None:
    journal = Journal("v1.2.3", started="2026-11-24T03:00:00Z")
    journal.say("connecting")
    assert data(journal) == {
        "version": "v1.2.3", "state": "running", "message": "connecting", "revision": None,
        "startedAt": "2026-11-24T03:00:00Z", "finishedAt": None,
    }  # fmt: skip


def test_outside_a_cluster_nothing_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    reporter({})(Journal("v1.2.3"))
    reporter({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "SERVICE_ACCOUNT_DIR": "/nonexistent"})(Journal("v1"))
    assert capsys.readouterr().out == ""
