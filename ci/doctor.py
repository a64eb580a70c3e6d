"""`invoke doctor`: what this machine has and lacks, without changing it."""

from collections.abc import Iterator

from rich.table import Table

from ci import supply
from ci.local import engine, host, kind, preflight
from ci.problem import Problem
from ci.progress import clock, console
from ci.settings import Settings
from ci.supply import catalogue, pull

GIB = 2**30


def show(settings: Settings) -> None:
    """Print the machine's facts, what is in the way, and how every component is obtained.

    Raises Problem when a bootstrap would refuse to start.
    """
    console.print("[bold]machine[/bold]")
    for name, value in machine(settings):
        console.print(f"  {name:<14}{value}", markup=False)
    console.print("\n[bold]components[/bold]")
    console.print(components(settings))
    preflight.check(settings, engine_answers=engine.version() is not None)
    console.print("\nready: invoke bootstrap")


def machine(settings: Settings) -> Iterator[tuple[str, str]]:
    """(name, what was found and what that means) for each thing a bootstrap depends on."""
    facts = host.read()
    version = engine.version()
    yield "engine", f"Docker {version}" if version else _no_engine(facts)
    yield "capabilities", _capabilities(facts)
    yield (
        "cgroup",
        f"v{facts.cgroup}" + (", deprecated: kubelet is told to accept it" if facts.cgroup == 1 else ""),
    )
    yield "cores", str(facts.cores)
    yield "memory", f"{facts.memory_available / GIB:.1f} GiB available, {host.MEMORY_NEEDED / GIB:.0f} needed"
    free = host.free_disk(settings.cache) / GIB
    yield (
        "disk",
        f"{free:.1f} GiB free, {preflight.disk_needed(settings) / GIB:.0f} needed in {settings.cache}",
    )
    for port, role in preflight.ports(settings).items():
        ours = version is not None and kind.publishes(settings, port)
        state = "in use by this environment" if ours else "taken" if host.port_taken(port) else "free"
        yield f"port {port}", f"{state} ({role})"
    yield "supply", f"{supply.mode()} (SLIPWAY_SUPPLY: {', '.join(supply.MODES)})"


def components(settings: Settings) -> Table:
    """Every catalogue entry: version, how it is obtained, what that took, how it differs."""
    table = Table(box=None, pad_edge=True)
    for title in ("component", "version", "how", "took", "differs from upstream"):
        table.add_column(title, overflow="fold")
    took = {name: seconds for name, _, seconds in supply.shares(settings)}
    for component in catalogue.load().components.values():
        how = supply.how(component)
        table.add_row(
            component.name, component.version, how,
            clock(took[component.name]) if component.name in took else "-",
            component.note if how == "build" else "",
        )  # fmt: skip
    locked = len(pull.locked_digests(settings))
    table.caption = f"{locked} digests of pulled images are locked" if locked else None
    return table


def _capabilities(facts: host.Host) -> str:
    if not facts.missing:
        return "complete"
    return f"{', '.join(facts.missing)} missing: containers get a wrapper around runc"


def _no_engine(facts: host.Host) -> str:
    try:
        engine.refuse_unless_allowed()
    except Problem as problem:
        return f"none; {problem.fix}"
    return "none; bootstrap will " + ("start it" if engine.installed() else "install docker.io and start it")
