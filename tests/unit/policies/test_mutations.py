"""The catalogue of mistakes fits the files as they are; what validate says to them, `nox -s mutations` asks."""

from tests.policies.mutations.catalogue import ALL, EXPLAINED
from tests.policies.mutations.harness import texts
from tests.policies.mutations.mutation import mutations


def test_every_line_of_the_catalogue_fits_somewhere() -> None:
    found = list(mutations(ALL, texts()))
    assert len(found) >= 150
    assert {each.name for each in found} == {each.name for each in ALL}


def test_explanations_are_of_mistakes_in_the_catalogue() -> None:
    assert EXPLAINED.keys() <= {each.name for each in ALL}
