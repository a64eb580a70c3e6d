"""What a bootstrap needs of this machine, checked before anything is changed."""

from ci.local import host, kind
from ci.problem import Problem
from ci.settings import Settings

GIB = 2**30


def check(settings: Settings, engine_answers: bool) -> None:
    """Raise Problem for the first thing that would make a bootstrap fail half-way."""
    need, free = disk_needed(settings), host.free_disk(settings.cache)
    if free < need:
        raise Problem(
            f"{free / GIB:.1f} GiB are free where {settings.cache} is, {need / GIB:.0f} GiB are needed",
            fix="free some space there, or set SLIPWAY_CACHE to a folder on a larger disk",
        )
    if engine_answers and kind.node_state(settings) == "running":
        return  # memory and ports are in use by this very environment
    memory = host.read().memory_available
    if memory < host.MEMORY_NEEDED:
        raise Problem(
            f"{memory / GIB:.1f} GiB of memory are available, {host.MEMORY_NEEDED / GIB:.0f} GiB are needed",
            fix="end programs that hold memory, or use a larger machine",
        )
    for port, role in ports(settings).items():
        if host.port_taken(port) and not (engine_answers and kind.publishes(settings, port)):
            raise Problem(
                f"port {port} on 127.0.0.1, needed for the {role}, is taken",
                fix="end the program that uses it, or choose another range with SLIPWAY_PORT",
            )


def disk_needed(settings: Settings) -> int:
    """Bytes of free disk that a bootstrap still needs, by what the cache already holds."""
    done = (settings.cache / "images").is_dir() and any((settings.cache / "images").glob("node-*.tar"))
    return host.DISK_NEEDED["cached" if done else "build"]


def ports(settings: Settings) -> dict[int, str]:
    """Ports on 127.0.0.1 and what listens there."""
    return {
        settings.port: "product",
        settings.registry_port: "registry",
        settings.git_port: "git server",
        settings.database_port: "database",
        settings.aws_port: "stand-in for AWS",
    }
