"""Containers are made once, made anew when something changed, and a failure speaks for itself."""

import dataclasses
import json
import socket
from collections.abc import Iterator
from typing import Literal

import pytest

from ci import shell
from ci.local import container
from ci.local.container import Service
from ci.problem import Problem
from ci.settings import Settings
from tests.integration.local.parts import image
from tests.ports import free_range

pytestmark = pytest.mark.integration

ROLE = "probe"


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    """A small web server that shows a mounted file, as any user id."""
    yield Service(
        role=ROLE,
        image=image(settings, "git"),
        alias="probe",
        port=(free_range(1), 8000),
        files={"/srv/www/page": "one"},
        env={"MODE": "a"},
        arguments=("-c", "exec timeout 300 python3 -m http.server 8000 --directory /srv/www"),
    )
    container.remove(settings, ROLE, data=True)


@pytest.fixture(autouse=True)
def entrypoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these tests run a shell instead of an image's own program."""
    ordinary = shell.run

    def run(*argv: str, **options: object) -> shell.Result:
        if argv[:2] == ("docker", "create"):
            argv = (*argv[:2], "--entrypoint", "sh", *argv[2:])
        return ordinary(*argv, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(shell, "run", run)


def ensure(settings: Settings, service: Service, seconds: float = 20) -> str:
    """Ensure, and return the container's id."""
    assert service.port is not None
    probe = container.http_probe(f"http://127.0.0.1:{service.port[0]}/page")
    container.ensure(settings, service, probe, seconds=seconds)
    return shell.run("docker", "inspect", "--format", "{{.Id}}", settings.container(ROLE)).out.strip()


def page(settings: Settings) -> str:
    return container.execute(settings, ROLE, "cat", "/srv/www/page").out


def test_ensure_twice_keeps_the_container_and_restarts_a_stopped_one(
    settings: Settings, service: Service
) -> None:
    first = ensure(settings, service)
    assert ensure(settings, service) == first
    shell.run("docker", "kill", settings.container(ROLE))
    assert ensure(settings, service) == first
    assert page(settings) == "one"


def test_a_container_that_was_made_but_never_started_is_started(settings: Settings, service: Service) -> None:
    container._create(
        settings, service, container._write_files(settings, service), container._config(service)
    )
    first = shell.run("docker", "inspect", "--format", "{{.Id}}", settings.container(ROLE)).out.strip()
    assert ensure(settings, service) == first


def test_every_change_makes_a_new_container(settings: Settings, service: Service) -> None:
    first = ensure(settings, service)
    second = ensure(settings, dataclasses.replace(service, files={"/srv/www/page": "two"}))
    assert page(settings) == "two"
    third = ensure(settings, dataclasses.replace(service, env={"MODE": "b"}))
    fourth = ensure(settings, dataclasses.replace(service, port=(free_range(1), 8000)))
    assert len({first, second, third, fourth}) == 4


def test_another_image_under_the_same_name_makes_a_new_container(
    settings: Settings, service: Service
) -> None:
    tag = f"{settings.name}:moving"
    try:
        shell.run("docker", "tag", image(settings, "git"), tag)
        first = ensure(settings, dataclasses.replace(service, image=tag))
        shell.run("docker", "tag", image(settings, "events"), tag)
        assert ensure(settings, dataclasses.replace(service, image=tag)) != first
    finally:
        container.remove(settings, ROLE)
        shell.run("docker", "image", "rm", tag)


def test_a_network_made_anew_makes_a_new_container(settings: Settings, service: Service) -> None:
    other = dataclasses.replace(settings, name=f"{settings.name}-n")
    try:
        first = ensure(other, service)
        shell.run("docker", "network", "disconnect", "--force", other.network, other.container(ROLE))
        shell.run("docker", "network", "rm", other.network)
        assert ensure(other, service) != first
    finally:
        container.remove(other, ROLE)
        shell.run("docker", "network", "rm", other.network)


def test_what_is_only_at_the_back_is_on_no_other_network(settings: Settings, service: Service) -> None:
    other = dataclasses.replace(settings, name=f"{settings.name}-b")
    front, back = other.network, f"{other.network}-back"
    cases: list[tuple[Literal["", "too", "only"], set[str]]] = [
        ("only", {back}), ("too", {front, back}), ("", {front}),
    ]  # fmt: skip
    asked = ("docker", "inspect", "--format", "{{json .NetworkSettings.Networks}}", other.container(ROLE))

    def networks(where: Literal["", "too", "only"]) -> set[str]:
        placed = dataclasses.replace(service, back=where, port=None)
        container.ensure(other, placed, lambda: None)
        return set(json.loads(shell.run(*asked).out))

    try:
        for where, wanted in cases:
            assert networks(where) == wanted
        shown = shell.run("docker", "network", "inspect", "--format", "{{.Internal}}", back)
        assert shown.out.strip() == "true"
        networks("too")
        shell.run("docker", "network", "disconnect", back, other.container(ROLE))  # as a kill may leave it
        assert networks("too") == {front, back}
    finally:
        container.remove(other, ROLE)
        container.remove_networks(other)


def test_a_program_that_ends_is_reported_with_its_words(settings: Settings, service: Service) -> None:
    broken = dataclasses.replace(service, arguments=("-c", "echo out of luck >&2; exit 3"))
    with pytest.raises(Problem) as caught:
        ensure(settings, broken)
    name = settings.container(ROLE)
    assert caught.value.what.startswith(f"container {name} does not stay up; its log: ")
    assert caught.value.what.endswith("out of luck")
    assert caught.value.fix == f"read `docker logs {name}`, then run the command again"


def test_a_program_that_does_not_answer_is_reported_with_the_last_state(
    settings: Settings, service: Service
) -> None:
    silent = dataclasses.replace(service, arguments=("-c", "echo thinking; exec timeout 60 sleep 60"))
    with pytest.raises(Problem, match=r"did not answer within 1 s; last state: .*; its log: thinking"):
        ensure(settings, silent, seconds=1)


def test_a_taken_port_is_named(settings: Settings, service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=f"port {port} on 127.0.0.1 is taken"):
            ensure(settings, dataclasses.replace(service, port=(port, 8000)))
    ensure(settings, dataclasses.replace(service, port=(port, 8000)))


def test_a_container_of_somebody_else_is_left_alone(settings: Settings, service: Service) -> None:
    name = settings.container(ROLE)
    shell.run("docker", "create", "--name", name, service.image)
    try:
        with pytest.raises(Problem, match=f"container {name} is not Slipway's"):
            ensure(settings, service)
        with pytest.raises(Problem, match=f"container {name} is not Slipway's"):
            container.remove(settings, ROLE)
    finally:
        shell.run("docker", "rm", "--force", name)


def test_a_missing_image_is_named(settings: Settings, service: Service) -> None:
    with pytest.raises(Problem, match="image slipway/nothing:0 is not in the engine"):
        ensure(settings, dataclasses.replace(service, image="slipway/nothing:0"))
