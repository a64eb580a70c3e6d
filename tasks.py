"""What Slipway does to the world. `invoke VERB --help` explains a verb."""

from functools import partial
from pathlib import Path
from typing import Annotated

from invoke.collection import Collection

import ci.build
import ci.doctor
import ci.infra
import ci.local.environment
import ci.local.teardown
import ci.production
import ci.publish
import ci.release
import ci.status
from ci.settings import chosen, load
from ci.verb import explain_parse_errors, verb
from ci.version import parse

HERE = Path(__file__).parent
explain_parse_errors()


Env = Annotated[str, "local or production"]
StandIn = Annotated[bool, "production's account in the local stand-in, not in AWS"]


@verb
def bootstrap(
    env: Env = "local", stand_in: StandIn = False, yes: Annotated[bool, "do not ask (production)"] = False
) -> None:
    """Bring up everything; run again, it changes nothing."""
    if chosen(env) == "local":
        ci.local.environment.bootstrap(load())
    else:
        ci.production.bootstrap(load(), stand_in, yes)


@verb
def build(version: Annotated[str, "the images' tag, as v1.2.3"]) -> None:
    """Build the three images of a version in the engine."""
    ci.build.build(load(), parse(version), HERE)


@verb
def push(version: Annotated[str, "a version that was built, as v1.2.3"]) -> None:
    """Publish what `build` made; the cluster does the rest."""
    ci.publish.publish(load(), version, HERE, building=False)


@verb
def release(
    version: Annotated[str, "higher than every one before, as v1.2.3"],
    wait: Annotated[bool, "return when it serves, or at once"] = True,
) -> None:
    """Build, tag and publish this commit; watch until it serves."""
    ci.release.release(load(), version, wait, HERE)


@verb
def status(json: Annotated[bool, "print JSON for programs"] = False) -> None:
    """Show what runs, what git asks for, and the last migration."""
    ci.status.show(load(), json)


@verb
def doctor() -> None:
    """Show what this machine has and lacks, without changing it."""
    ci.doctor.show(load())


@verb
def destroy(
    yes: Annotated[bool, "do not ask"] = False,
    keep_cache: Annotated[bool, "keep what was downloaded and built"] = False,
) -> None:
    """Remove the environment and its data."""
    ci.local.teardown.destroy(load(), yes=yes, keep_cache=keep_cache)


infra = partial(verb, group="infra")


@infra
def infra_plan(env: Env, stand_in: StandIn = False) -> None:
    """Show what `infra.apply` would change in AWS."""
    ci.infra.plan(load(), env, stand_in)


@infra
def infra_apply(env: Env, stand_in: StandIn = False, yes: Annotated[bool, "do not ask"] = False) -> None:
    """Show the plan, ask, and bring the stacks to it."""
    ci.infra.apply(load(), env, stand_in, yes)


@infra
def infra_outputs(
    env: Env, stand_in: StandIn = False, json: Annotated[bool, "print JSON for programs"] = False
) -> None:
    """Show what the stacks tell: ids, endpoints, name servers."""
    ci.infra.outputs(load(), env, stand_in, json)


@infra
def infra_drift(env: Env, stand_in: StandIn = False) -> None:
    """Show what somebody changed by hand; exit code 1 where there is something."""
    ci.infra.drift(load(), env, stand_in)


@infra
def infra_destroy(
    env: Env,
    stand_in: StandIn = False,
    yes: Annotated[bool, "do not ask"] = False,
    and_data: Annotated[bool, "also what is protected: database, images, secrets"] = False,
) -> None:
    """Remove the stacks and what controllers made; verify that nothing is left."""
    ci.infra.destroy(load(), env, stand_in, yes, and_data)


namespace = Collection(bootstrap, build, push, release, status, doctor, destroy)
namespace.add_collection(
    Collection(
        "infra",
        plan=infra_plan,
        apply=infra_apply,
        outputs=infra_outputs,
        drift=infra_drift,
        destroy=infra_destroy,
    )
)
