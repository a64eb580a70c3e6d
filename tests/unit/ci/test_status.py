import io
import json
from datetime import UTC, datetime

from rich.console import Console

from ci import status, views
from ci.publish import Release
from ci.status import Serving, Status
from ci.version import parse
from ci.views import Migration
from tests.unit.ci import objects

DIGESTS = {
    "eks-app": "sha256:" + "a" * 64,
    "eks-web": "sha256:" + "b" * 64,
    "eks-migration": "sha256:" + "c" * 64,
}
RELEASE = Release(parse("v0.2.0"), "f" * 40, "0002", DIGESTS)
RIGHT = {"app": DIGESTS["eks-app"], "web": DIGESTS["eks-web"]}


def test_a_pod_that_runs_what_was_released() -> None:
    assert status.mixed(views.pod(objects.pod("a", "v0.2.0", digests=RIGHT)), RELEASE) == ""


def test_a_pod_of_two_versions_is_mixed() -> None:
    pod = views.pod(objects.pod("a", "v0.2.0", web="v0.1.0"))
    assert status.mixed(pod, RELEASE) == "app v0.2.0, web v0.1.0"
    assert status.mixed(pod, None) == "app v0.2.0, web v0.1.0"


def test_a_pod_with_another_image_under_the_same_tag_is_mixed() -> None:
    pod = views.pod(objects.pod("a", "v0.2.0", digests={**RIGHT, "web": "sha256:" + "d" * 64}))
    assert status.mixed(pod, RELEASE) == ("web runs sha256:dddddddddddd, the release has sha256:bbbbbbbbbbbb")


def test_a_pod_that_has_not_started_is_not_mixed() -> None:
    assert status.mixed(views.pod(objects.pod("a", "v0.2.0", ready=False)), RELEASE) == ""


def example() -> Status:
    return Status(
        url="http://127.0.0.1:8080",
        serving=Serving("v0.2.0", "f" * 40, "0002", "0002"),
        recorded="v0.3.0",
        published="v0.3.0",
        applications=(views.application(objects.application("Failed", "abc", "hook\nfailed")),),
        pods=(views.pod(objects.pod("main-a", "v0.2.0", web="v0.1.0", digests=RIGHT)),),
        releases={"v0.2.0": RELEASE},
        migration=Migration("v0.3.0", "failed", "step 0003\n[red]column exists[/red]", "migration", "0002"),
        notes=("the git server does not answer",),
    )


def test_without_a_terminal_the_table_is_plain_text() -> None:
    out = io.StringIO()
    console = Console(file=out, width=40, highlight=False)
    status.render(example(), console, datetime(2026, 11, 24, 3, 5, tzinfo=UTC))
    assert (
        out.getvalue()
        == """\
application  sync       health   last operation
main         OutOfSync  Healthy  Failed hook failed

pod     version  app / web        ready  restarts  age
main-a  v0.2.0   v0.2.0 / v0.1.0  yes    0         5 min 00 s  MIXED app v0.2.0, web v0.1.0

url               http://127.0.0.1:8080 answers, v0.2.0
version in git    v0.3.0, the url serves v0.2.0
newest published  v0.3.0
database schema   0002, the app needs 0002
last migration    v0.3.0 failed
  migration said  step 0003
                  [red]column exists[/red]
not readable      the git server does not answer

"""
    )


def test_on_a_terminal_a_mixed_pod_is_red() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=True, color_system="standard")
    status.render(example(), console, datetime(2026, 11, 24, 3, 5, tzinfo=UTC))
    assert "\x1b[1;31mMIXED app v0.2.0, web v0.1.0\x1b[0m" in out.getvalue()


def test_json_has_what_the_table_has() -> None:
    found = json.loads(json.dumps(status.data(example())))
    assert found["pods"][0]["mixed"] == "app v0.2.0, web v0.1.0"
    assert found["pods"][0]["created"] == "2026-11-24T03:00:00+00:00"
    assert found["migration"]["words"].startswith("step 0003")
    assert found["releases"]["v0.2.0"]["digests"] == DIGESTS
    assert found["applications"][0]["sync"] == "OutOfSync"
