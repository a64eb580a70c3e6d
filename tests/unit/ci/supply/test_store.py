import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from ci.supply import store


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with store.building(target) as draft:
        (draft / "a").write_text("1")
        assert not target.exists()
    assert (target / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_failed_build_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with store.building(target) as draft:
        (draft / "a").write_text("old")
    with pytest.raises(RuntimeError):
        _fail(target)
    assert (target / "a").read_text() == "old"


def _fail(target: Path) -> None:
    with store.building(target) as draft:
        (draft / "a").write_text("new")
        raise RuntimeError


def _half(target: Path, started: Path) -> None:
    with store.building(target) as draft:
        (draft / "half").write_text("x")
        started.touch()
        time.sleep(60)


def test_a_killed_build_is_begun_again_from_nothing(tmp_path: Path) -> None:
    target, started = tmp_path / "made", tmp_path / "started"
    process = multiprocessing.get_context("spawn").Process(target=_half, args=(target, started))
    process.start()
    while not started.exists():
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not target.exists()
    with store.building(target) as draft:
        assert list(draft.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir() if path != started] == ["made"]


def test_two_builders_of_one_thing_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "made"
    context = multiprocessing.get_context("spawn")
    started = [tmp_path / "started-0", tmp_path / "started-1"]
    slow = [context.Process(target=_half, args=(target, mark)) for mark in started]
    for process in slow:
        process.start()
    while not all(mark.exists() for mark in started):
        time.sleep(0.01)
    drafts = [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    assert len(drafts) == 2
    assert all((draft / "half").read_text() == "x" for draft in drafts)
    for process in slow:
        process.kill()
        process.join()


def test_folder_digest_sees_names_contents_and_the_executable_bit(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    seen = {store.folder_digest(tmp_path)}
    (tmp_path / "a").write_text("2")
    seen.add(store.folder_digest(tmp_path))
    (tmp_path / "a").chmod(0o755)
    seen.add(store.folder_digest(tmp_path))
    (tmp_path / "a").rename(tmp_path / "b")
    seen.add(store.folder_digest(tmp_path))
    assert len(seen) == 4


def test_digest_does_not_confuse_where_parts_end() -> None:
    assert store.digest("ab", "c") != store.digest("a", "bc")


def test_the_journal_survives_and_forgives(tmp_path: Path) -> None:
    assert store.read_journal(tmp_path) == {}
    store.record(tmp_path, "kind", "k", "build", 1.26)
    assert store.read_journal(tmp_path)["kind"]["seconds"] == 1.3
    (tmp_path / "journal.json").write_text("{")
    assert store.read_journal(tmp_path) == {}
