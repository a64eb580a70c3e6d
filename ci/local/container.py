"""The one door to the containers that stand beside the cluster."""

import hashlib
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

from ci import shell, waiting
from ci.local import secret
from ci.problem import Problem
from ci.progress import Step
from ci.settings import Settings

LABEL = "slipway"
CONFIG_LABEL = "slipway.config"

_RESTARTS = 3
"""How often Docker may start a program again before we give it up."""

Probe = Callable[[], str | None]
"""Returns None when the service answers, else the state it is in."""


@dataclass(frozen=True, slots=True)
class Service:
    """What one container is made from; a difference in any field makes a new container.

    `port` is (port on 127.0.0.1, port in the container). `volume` is where the data volume is
    mounted. `files` (path in the container -> content) are mounted read-only; secrets go there, not
    into `env`, which `docker inspect` shows. The root file system is read-only but for `temporary` (Docker's --tmpfs values).
    `also` are further names in the network.
    `back` says how it stands to the environment's back network, which nothing of the cluster reaches: not at
    all, `too`, or `only` there.
    """

    role: str
    image: str
    alias: str
    port: tuple[int, int] | None = None
    volume: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    temporary: tuple[str, ...] = ("/tmp",)
    back: Literal["", "too", "only"] = ""
    also: tuple[str, ...] = ()


def ensure(
    settings: Settings, service: Service, probe: Probe, *, seconds: float = 60, step: Step | None = None
) -> None:
    """Have `service` running as described and answering; touch nothing when it already is."""
    name = settings.container(service.role)
    files = _write_files(settings, service)
    config = _config(service)
    found = _inspect(name)
    if found is not None:
        _own(settings, name, found)
        if not _current(settings, service, found, config):
            remove(settings, service.role)
            found = None
    if found is None:
        _create(settings, service, files, config)
    if found is None or not found["State"]["Running"]:
        _start(settings, service, files, config)
    wait(settings, service.role, probe, seconds=seconds, step=step)


def remove(settings: Settings, role: str, *, data: bool = False) -> None:
    """Stop and remove the container in `role`; its data volume too where asked. Absent is fine."""
    name = settings.container(role)
    if (found := _inspect(name)) is not None:
        _own(settings, name, found)
        if not data:  # what goes with its data needs no time to write it
            shell.run("docker", "stop", "--time", "10", name, ok=(0, 1))
        shell.run("docker", "rm", "--force", name, ok=(0, 1))
    if data:
        shell.run("docker", "volume", "rm", "--force", name)


def network(settings: Settings, back: bool = False) -> str:
    """Return the id of the environment's network (or the one at the back), made where it is missing."""
    name = back_network(settings) if back else settings.network
    asked = ("docker", "network", "inspect", "--format", "{{.Id}}", name)
    found = shell.run(*asked, ok=(0, 1))
    if found.code == 0:
        return found.out.strip()
    options = ("--internal",) if back else ()
    shell.run("docker", "network", "create", "--label", f"{LABEL}={settings.name}", *options, name, ok=(0, 1))
    return shell.run(*asked).out.strip()


def back_network(settings: Settings) -> str:
    """Name of the network between the registry and what stands in front of it."""
    return f"{settings.network}-back"


def remove_networks(settings: Settings) -> None:
    """Remove both networks; absent ones are fine."""
    for name in (settings.network, back_network(settings)):
        shell.run("docker", "network", "rm", name, ok=(0, 1))


def wait(settings: Settings, role: str, probe: Probe, *, seconds: float, step: Step | None = None) -> None:
    """Wait until `probe` is content; otherwise raise Problem with the container's own last words."""
    name = settings.container(role)
    fix = f"read `docker logs {name}`, then run the command again"

    def state() -> str | None:
        answer = probe()
        if answer is not None and (_inspect(name) or {}).get("RestartCount", 0) >= _RESTARTS:
            raise Problem(f"container {name} does not stay up", fix=fix)
        return answer

    try:
        waiting.until(
            state, what=f"container {name} did not answer", seconds=seconds, fix=fix, every=0.1, step=step
        )
    except Problem as problem:
        words = " | ".join(logs(settings, role, lines=3))
        raise Problem(f"{problem.what}; its log: {words or 'empty'}", fix=problem.fix) from None


def execute(
    settings: Settings, role: str, *argv: str, stdin: str | None = None, ok: Sequence[int] = (0,)
) -> shell.Result:
    """Run a program in the container in `role`."""
    flags = ("--interactive",) if stdin is not None else ()
    return shell.run("docker", "exec", *flags, settings.container(role), *argv, stdin=stdin, ok=ok)


def logs(settings: Settings, role: str, *, lines: int = 20) -> list[str]:
    """Return the last lines the container in `role` wrote, oldest first."""
    result = shell.run("docker", "logs", "--tail", str(lines), settings.container(role), ok=(0, 1))
    both = result.out.splitlines() + result.err.splitlines()
    return [line.strip() for line in both if line.strip()][-lines:]


def http_probe(url: str, *, verify: Path | None = None, status: int = 200) -> Probe:
    """Return a probe that GETs `url` and wants `status`; `verify` is the CA to trust."""
    trust = ssl.create_default_context(cafile=str(verify)) if verify else True

    def probe() -> str | None:
        try:
            answer = httpx.get(url, trust_env=False, timeout=5, verify=trust)
        except httpx.HTTPError as error:
            return f"{url}: {error or type(error).__name__}"
        return None if answer.status_code == status else f"{url} answers {answer.status_code}"

    return probe


def _write_files(settings: Settings, service: Service) -> dict[str, Path]:
    """Put the service's files where Docker can mount them: path in the container -> path here.

    They are readable by any user id, because each image runs as its own; the state folder above
    them lets nobody else on this machine through.
    """
    secret.private_folder(settings.state)
    folder = settings.state / "mounts" / service.role
    folder.mkdir(parents=True, exist_ok=True)
    placed = {}
    for target, content in service.files.items():
        path = folder / target.strip("/").replace("/", "-")
        if not path.is_file() or path.read_text() != content:
            secret.write(path, content, mode=0o444)
        placed[target] = path
    return placed


def _config(service: Service) -> str:
    """Identify what a container is made from: the description and the image's content."""
    found = shell.run("docker", "image", "inspect", "--format", "{{.Id}}", service.image, ok=(0, 1))
    if found.code != 0:
        raise Problem(f"image {service.image} is not in the engine", fix="invoke bootstrap")
    described = json.dumps([asdict(service), found.out.strip()], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()


def _inspect(name: str) -> dict[str, Any] | None:
    result = shell.run("docker", "container", "inspect", name, ok=(0, 1))
    if result.code != 0:
        if "No such container" in result.err:
            return None
        raise shell.CommandFailed(("docker", "container", "inspect", name), result)
    found: dict[str, Any] = json.loads(result.out)[0]
    return found


def _own(settings: Settings, name: str, found: dict[str, Any]) -> None:
    if found["Config"]["Labels"].get(LABEL) != settings.name:
        raise Problem(
            f"container {name} is not Slipway's", fix=f"docker rename {name} {name}-old, or set SLIPWAY_NAME"
        )


def _current(settings: Settings, service: Service, found: dict[str, Any], config: str) -> bool:
    """Whether a container is what it should be, and on the networks that exist now."""
    joined = found["NetworkSettings"]["Networks"]
    return (
        found["Config"]["Labels"].get(CONFIG_LABEL) == config
        and not found["State"]["Dead"]
        and all(
            (joined.get(name) or {}).get("NetworkID") in ("", network(settings, back=back))
            for name, back in _networks(settings, service)
        )
    )


def _networks(settings: Settings, service: Service) -> list[tuple[str, bool]]:
    """The networks of a container, the first one first: name, and whether it is the one at the back."""
    front, back = (settings.network, False), (back_network(settings), True)
    return {"": [front], "too": [front, back], "only": [back]}[service.back]


def _create(settings: Settings, service: Service, files: Mapping[str, Path], config: str) -> None:
    (first, back), *others = _networks(settings, service)
    network(settings, back=back)
    name = settings.container(service.role)
    argv = [
        "docker", "create", "--name", name, "--hostname", name, "--restart", "unless-stopped",
        "--label", f"{LABEL}={settings.name}", "--label", f"{CONFIG_LABEL}={config}",
        "--network", first, "--network-alias", service.alias,
        "--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=2",
        "--security-opt", "no-new-privileges", "--cap-drop", "ALL", "--read-only",
    ]  # fmt: skip
    for further in service.also:
        argv += ["--network-alias", further]
    for capability in service.capabilities:
        argv += ["--cap-add", capability]
    for path in service.temporary:
        argv += ["--tmpfs", path]
    for variable, value in service.env.items():
        argv += ["--env", f"{variable}={value}"]
    for target, source in files.items():
        argv += ["--mount", f"type=bind,src={source},dst={target},readonly"]
    if service.volume is not None:
        shell.run("docker", "volume", "create", "--label", f"{LABEL}={settings.name}", name)
        argv += ["--volume", f"{name}:{service.volume}"]
    if service.port is not None:
        argv += ["--publish", f"127.0.0.1:{service.port[0]}:{service.port[1]}"]
    shell.run(*argv, service.image, *service.arguments)
    for other, back in others:
        network(settings, back=back)
        shell.run("docker", "network", "connect", "--alias", service.alias, other, name)


def _start(settings: Settings, service: Service, files: Mapping[str, Path], config: str) -> None:
    name = settings.container(service.role)
    try:
        shell.run("docker", "start", name)
    except shell.CommandFailed as error:
        words = error.result.err.strip().splitlines()[0] if error.result.err else error.last_words
        if "already allocated" in words or "address already in use" in words:
            assert service.port is not None
            raise Problem(
                f"port {service.port[0]} on 127.0.0.1 is taken, {name} cannot listen there",
                fix="end the program that uses it, or choose another range with SLIPWAY_PORT",
            ) from None
        raise Problem(f"container {name} does not start: {words}", fix=f"docker rm -f {name}") from error
