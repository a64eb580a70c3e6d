import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
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


def test_what_several_want_at_once_is_made_once_and_never_replaced(tmp_path: Path) -> None:
    target, made = tmp_path / "below" / "made", []

    def make(draft: Path) -> None:
        made.append(draft)
        time.sleep(0.1)
        (draft / "a").write_text("1")

    def want(_: int) -> int:
        return (store.once(target, make) / "a").stat().st_ino

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(want, range(8)))
    assert len(made) == 1
    assert found == {want(0)}


def test_another_process_waits_for_what_is_being_made(tmp_path: Path) -> None:
    target, started = tmp_path / "made", tmp_path / "started"
    process = multiprocessing.get_context("spawn").Process(target=_once, args=(target, started))
    process.start()
    while not started.exists():
        time.sleep(0.01)
    store.once(target, _second)
    process.join()
    assert (target / "half").read_text() == "first"


def _second(draft: Path) -> None:
    (draft / "half").write_text("second")


def _once(target: Path, started: Path) -> None:
    def make(draft: Path) -> None:
        started.touch()
        time.sleep(0.5)
        (draft / "half").write_text("first")

    store.once(target, make)


def test_what_could_not_be_made_is_made_by_the_next(tmp_path: Path) -> None:
    def fail(draft: Path) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.once(tmp_path / "made", fail)
    assert store.once(tmp_path / "made", lambda draft: None).is_dir()


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
