import pytest

from ci.problem import Problem
from ci.version import Version, parse


def test_a_version_reads_back() -> None:
    assert str(parse("v1.20.3")) == "v1.20.3"
    assert parse("v1.20.3") == Version(1, 20, 3)


@pytest.mark.parametrize(
    "text",
    ["", "1.2.3", "v1.2", "v1.2.3.4", "v1.2.3-rc1", "v1.2.3+b", "v01.2.3", "v1.2.3\n", " v1.2.3", "V1.2.3",
     "v1.-2.3", "v1.٢.3", "latest", "v1234567890.0.0"],
)  # fmt: skip
def test_anything_else_is_no_version(text: str) -> None:
    with pytest.raises(Problem, match="is not a version") as raised:
        parse(text)
    assert raised.value.fix == "give three numbers as in v1.2.3, without suffix"


def test_versions_compare_as_numbers() -> None:
    texts = ["v0.9.0", "v0.10.0", "v1.0.0", "v0.9.10", "v0.9.9"]
    ordered = sorted(map(parse, texts))
    assert [str(version) for version in ordered] == ["v0.9.0", "v0.9.9", "v0.9.10", "v0.10.0", "v1.0.0"]


def test_the_next_version_is_a_patch() -> None:
    assert str(parse("v1.2.9").next()) == "v1.2.10"
