"""Bad files: each a finding at a position, never a traceback, never silence."""

from datetime import date

import pytest

from policies import engine
from policies.loader import LARGEST, read
from policies.model.system import System
from policies.sources import Sources
from policies.yamltext import parse

TODAY = date(2026, 11, 25)


def findings(files: dict[str, bytes]) -> list[str]:
    found = engine.check(System(Sources(dict(files)), {}), TODAY)
    return [f"{each.position}: {each.id}" for each in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"a: [1\nb: 2\n", "gitops/x.yaml:2:2: READ02"),
        (b"a: 1\n\tb: 2\n", "gitops/x.yaml:2:1: READ02"),
        (b"a: 1\nb: 2\na: 3\n", "gitops/x.yaml:3:1: READ03"),
        (b"a: &x {b: 1}\nc: *x\n", "gitops/x.yaml:1:4: READ04"),
        (b"a: {<<: {b: 1}}\n", "gitops/x.yaml:1:5: READ04"),
        (b"a:\n  b: off\n", "gitops/x.yaml:2:6: READ05"),
        (b"a: 1\n---\nb: 2\n", "gitops/x.yaml:3:1: READ06"),
        (b"a: caf\xe9\n", "gitops/x.yaml:1:1: READ01"),
        (b"a: 1\nb: \x00\n", "gitops/x.yaml:2:1: READ01"),
        (b"\x7fELF\x02\x01\x01\x00\xff", "gitops/x.yaml:1:1: READ01"),
        (b"[" * 5000, "gitops/x.yaml:2:1: READ02"),
    ],
)
def test_place_and_rule(text: bytes, found: str) -> None:
    assert found in findings({"gitops/x.yaml": text})


@pytest.mark.parametrize("kind", [b"a: &a [x, *a]\n", b"a: &a {b: *a}\n"])
def test_anchors_that_hold_themselves(kind: bytes) -> None:
    assert "gitops/x.yaml:1:4: READ04" in findings({"gitops/x.yaml": kind})


def test_workflow_key_on_is_no_boolean() -> None:
    documents, faults = parse("w.yml", "on: push\njobs: {}\n")
    assert documents[0].value == {"on": "push", "jobs": {}}
    assert faults == ()


def test_cycle_and_missing_file() -> None:
    files = {
        "gitops/a/kustomization.yaml": b"resources:\n- ../b\n- gone.yaml\n",
        "gitops/b/kustomization.yaml": b"resources:\n- ../a\n",
    }
    assert findings(files) == [
        "gitops/a/kustomization.yaml:2:3: READ07",
        "gitops/a/kustomization.yaml:3:3: READ08",
        "gitops/b/kustomization.yaml:2:3: READ07",
    ]


def test_a_kustomization_that_names_itself() -> None:
    assert findings({"gitops/a/kustomization.yaml": b"resources: [.]\n"}) == [
        "gitops/a/kustomization.yaml:1:13: READ07"
    ]


@pytest.mark.parametrize(
    "text",
    [b"", b"- a\n", b"word\n", b"resources: word\n", b"resources: [1, {a: b}]\npatches: [1]\nimages: 7\n"],
)
def test_kustomizations_of_another_shape_are_no_traceback(text: bytes) -> None:
    assert findings({"gitops/a/kustomization.yaml": text}) == []


@pytest.mark.parametrize("text", [b"", b"[]\n", b"on: [push]\njobs: word\n", b"on: 1\njobs: {a: 1}\n"])
def test_workflows_of_another_shape_are_no_traceback(text: bytes) -> None:
    assert not any("RULE" in each for each in findings({".github/workflows/a.yml": text}))


def test_large_files_are_not_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "gitops"
    folder.mkdir()
    with (folder / "large.yaml").open("wb") as stream:
        stream.truncate(50_000_000)
    (folder / "link.yaml").symlink_to("nowhere")
    found = findings(dict(read(tmp_path)))  # type: ignore[arg-type]  # Unread among them
    assert found == ["gitops/large.yaml:1:1: READ01", "gitops/link.yaml:1:1: READ01"]
    assert LARGEST < 50_000_000


def test_tags_of_cloudformation_are_their_long_form() -> None:
    documents, faults = parse(
        "t.yaml", "a: !Ref X\nb: !GetAtt X.Y.Z\nc: !Sub '${X}'\nd: !If [A, !Ref B, c]\n"
    )
    assert faults == ()
    assert documents[0].value == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["X", "Y.Z"]},
        "c": {"Fn::Sub": "${X}"},
        "d": {"Fn::If": ["A", {"Ref": "B"}, "c"]},
    }
    assert str(documents[0].at("d", "Fn::If", 1)) == "t.yaml:4:12"
