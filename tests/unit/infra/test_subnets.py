from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as some

from infra.subnets import SMALLEST, derive, faults


@given(some.integers(0, 255), some.integers(16, 22), some.integers(2, 3))
def test_derived_subnets_always_fit(second: int, prefix: int, zones: int) -> None:
    vpc = IPv4Network(f"10.{second}.0.0/{prefix}")
    public, private = derive(vpc, zones)
    assert (len(public), len(private)) == (zones, zones)
    assert list(faults(vpc, [(str(net), net) for net in (*private, *public)])) == []
    assert all(net.prefixlen <= SMALLEST for net in public)
    assert all(net.prefixlen == prefix + 2 for net in private)


def test_derived_subnets_never_move_when_a_zone_is_added() -> None:
    vpc = IPv4Network("10.20.0.0/16")
    for two, three in zip(derive(vpc, 2), derive(vpc, 3), strict=True):
        assert three[:2] == two
