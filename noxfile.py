"""Checks. `.venv/bin/nox` runs them all, `.venv/bin/nox -s NAME` one, `-- ARGS` reach pytest."""

import os
import sys

import nox

# One locked environment for everything: the sessions run in the .venv that ./setup made, so each
# starts at once and checks what the verbs run with. Environments of nox's own would install the same
# 80 packages five times and could differ from it.
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "validate", "unit", "integration", "e2e"]
# From seconds to minutes: what the cheap ones find, the dear ones need not.
nox.options.stop_on_first_error = True

PYTHON = sys.executable
TYPED = ("ci", "app", "infra", "policies", "tests", "tasks.py", "noxfile.py")
IMAGES = ("debian", "buildx", "postgres", "registry", "git", "events", "redis", "ecr", "aws")
"""What the integration tests run containers of; in the engine they have upstream's names."""

PROGRAMS = ("kubernetes", "etcd", "helm", "kustomize", "external-secrets", "traefik", "external-dns")
"""What they run as processes: an API server, and the controllers that talk to it."""


@nox.session
def lint(session: nox.Session) -> None:
    """Lint and check the format (ruff). `ruff check --fix` and `ruff format` repair."""
    session.run(PYTHON, "-m", "ruff", "check", ".")
    session.run(PYTHON, "-m", "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types (mypy --strict)."""
    session.run(PYTHON, "-m", "mypy", "--strict", *TYPED)


@nox.session
def validate(session: nox.Session) -> None:
    """Check what no compiler sees: manifests, templates, workflows, policies. `-- --help` tells more."""
    session.run(PYTHON, "-m", "ci.validate", *session.posargs)


@nox.session
def unit(session: nox.Session) -> None:
    """Test what needs neither engine nor cluster, the verbs' bad input among it."""
    session.run(PYTHON, "-m", "pytest", "tests/unit", "tests/verbs", *session.posargs)


@nox.session
def mutations(session: nox.Session) -> None:
    """Prove validate: mistakes in a copy of the real files, one at a time, each of which it must name."""
    session.run(PYTHON, "-m", "tests.policies.mutations.harness", *session.posargs)


@nox.session
def integration(session: nox.Session) -> None:
    """Test the parts against real ones: PostgreSQL, registry, git server, relay."""
    session.run(PYTHON, "-m", "ci.supply", *IMAGES, *PROGRAMS)
    session.run(PYTHON, "-m", "pytest", "tests/integration", *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """Test the whole on a cluster of its own; SLIPWAY_KEEP=1 leaves it standing for the next run."""
    session.run(PYTHON, "-m", "tests.e2e.browser")  # has Chromium, or ends here and not in ten minutes
    _with_environment(session, "slipway-e2e", 18080, "-m", "pytest", "tests/e2e", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure releases, bootstrap and memory; writes tests/bench/results. Not part of the checks."""
    _with_environment(session, "slipway-bench", 19080, "-m", "tests.bench.release_latency", *session.posargs)


@nox.session
def bench_build(session: nox.Session) -> None:
    """Measure what the release workflow builds and pushes; writes tests/bench/results."""
    _with_environment(session, "slipway-bench", 19080, "-m", "tests.bench.release_build", *session.posargs)


@nox.session
def bench_validate(session: nox.Session) -> None:
    """Measure validate, with other programs beside it, which are built first; writes tests/bench/results."""
    session.run(PYTHON, "-m", "tests.bench.validate", *session.posargs)


@nox.session
def converge(session: nox.Session) -> None:
    """Bring everything up from nothing ten times (`-- 3`: three); writes tests/bench/results."""
    _with_environment(session, "slipway-bench", 19080, "-m", "tests.bench.converge", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements.lock anew, with the newest versions that fit; then run ./setup."""
    session.run(
        PYTHON, "-m", "uv", "pip", "compile", "pyproject.toml", "--group", "dev",
        "--constraint", "app/requirements.lock", "--constraint", "app/migration/requirements.lock",
        "--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade",
        "--no-emit-index-url", "--no-emit-find-links", "--quiet",
        "--custom-compile-command", ".venv/bin/nox -s lock",
        "--output-file", "requirements.lock", *session.posargs,
    )  # fmt: skip


def _with_environment(session: nox.Session, name: str, port: int, *command: str) -> None:
    """Run Python with `command` beside a fresh environment, which is removed whatever happens."""
    env = {"SLIPWAY_NAME": name, "SLIPWAY_PORT": str(port)}
    keep = bool(os.environ.get("SLIPWAY_KEEP"))
    destroy = (PYTHON, "-m", "invoke", "destroy", "--yes", "--keep-cache")
    session.run(PYTHON, "-m", "ci.supply")  # no component, just the engine: destroy needs it too
    try:
        if not keep:
            session.run(*destroy, env=env, silent=True)  # what a killed run left
        session.run(PYTHON, "-m", "invoke", "bootstrap", env=env)
        session.run(PYTHON, *command, env=env)
    finally:
        if not keep:
            session.run(*destroy, env=env)
