import gzip
import hashlib
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ci.oci.blobs import Blobs
from ci.oci.media import LAYER, digest

CONTENT = b"layer " * 100_000


def opener(content: bytes) -> tuple[Callable[[], io.BytesIO], list[int]]:
    """Return a function that opens `content`, and a list with an entry for every call."""
    calls: list[int] = []

    def open_tar() -> io.BytesIO:
        calls.append(1)
        return io.BytesIO(content)

    return open_tar, calls


def test_a_layer_is_compressed_once(tmp_path: Path) -> None:
    open_tar, calls = opener(CONTENT)
    first = Blobs(tmp_path).layer(digest(CONTENT), open_tar)
    second = Blobs(tmp_path).layer(digest(CONTENT), open_tar)
    assert first == second
    assert len(calls) == 1
    packed = Blobs(tmp_path).path(first).read_bytes()
    assert gzip.decompress(packed) == CONTENT
    assert (first.media_type, first.digest, first.size) == (LAYER, digest(packed), len(packed))


def test_the_same_content_gives_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    first = Blobs(tmp_path / "a").layer(digest(CONTENT), opener(CONTENT)[0])
    time.sleep(1.1)  # gzip's own time stamp has seconds
    second = Blobs(tmp_path / "b").layer(digest(CONTENT), opener(CONTENT)[0])
    assert first == second
    assert Blobs(tmp_path / "a").path(first).read_bytes()[4:8] == bytes(4)


def test_a_compressed_layer_is_kept_as_it_is(tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT, 9, mtime=7)
    blobs = Blobs(tmp_path)
    found = blobs.layer(digest(CONTENT), opener(packed)[0])
    assert blobs.path(found).read_bytes() == packed
    assert found.digest == digest(packed)


def test_a_damaged_layer_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = f"sha256:{hashlib.sha256(b'other').hexdigest()}"
    with pytest.raises(ValueError, match=f"layer {wrong} is damaged"):
        Blobs(tmp_path).layer(wrong, opener(CONTENT)[0])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_lost_or_cut_blob_is_made_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    open_tar, calls = opener(CONTENT)
    found = blobs.layer(digest(CONTENT), open_tar)
    blobs.path(found).write_bytes(b"cut")
    assert blobs.layer(digest(CONTENT), open_tar) == found
    blobs.forget(found)
    assert blobs.layer(digest(CONTENT), open_tar) == found
    assert len(calls) == 3


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    open_tar, calls = opener(CONTENT)
    blobs.layer(digest(CONTENT), open_tar)
    for entry in (tmp_path / "layers").iterdir():
        entry.write_text("{")
    blobs.layer(digest(CONTENT), open_tar)
    assert len(calls) == 2


def test_only_what_no_release_used_is_pruned(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    old = blobs.layer(digest(CONTENT), opener(CONTENT)[0])
    used = blobs.layer(digest(b"x"), opener(b"x")[0])
    long_ago = time.time() - 90 * 86_400
    for descriptor in (old, used):
        os.utime(blobs.path(descriptor), (long_ago, long_ago))
    blobs.layer(digest(b"x"), opener(b"x")[0])
    assert blobs.prune(60) == old.size
    assert not blobs.path(old).exists()
    assert blobs.path(used).exists()


def test_a_digest_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a sha256 digest"):
        Blobs(tmp_path).layer("sha256:../../x", opener(b"x")[0])
