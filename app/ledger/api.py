"""The HTTP API; docs/reference/product-api.md is its contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from ledger import entries
from ledger.database import Database, connected
from ledger.logs import RequestLog, log
from ledger.settings import Settings

_LARGEST_BODY = 16 * 1024


@dataclass(slots=True)
class Process:
    """What lives as long as the process; `draining` is set once, by SIGTERM."""

    settings: Settings
    draining: bool = False


def application(process: Process) -> ASGIApp:
    """Return the ASGI application of `process`."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connected(process.settings) as database:
            app.state.database = database
            yield

    app = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/api/version", version),
            Route("/api/entries", add_entry, methods=["POST"]),
            Route("/api/entries", list_entries),
        ],
        lifespan=lifespan,
        exception_handlers={
            entries.Refused: _refused,
            HTTPException: _http_error,
            psycopg.Error: _database_error,
            Exception: _fault,
        },
    )
    app.state.process = process
    return RequestLog(app)


async def healthz(request: Request) -> JSONResponse:
    """Answer as long as the process runs; the database is not its business."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Answer 200 when the revision this image needs is applied, and it is not being stopped.

    Applied, not newest: after an expand migration the old pods stay ready, and new pods wait
    for theirs.
    """
    process = _process(request)
    needs = process.settings.schema_head
    applied = await _applied(request)
    ready = applied is not None and needs in applied and not process.draining
    body = {"database": applied is not None, "schema": {"needs": needs, "applied": applied or []}}
    return JSONResponse(body, status_code=200 if ready else 503)


async def version(request: Request) -> JSONResponse:
    """Tell what runs; `schema_live` is null while the database cannot tell."""
    settings = _process(request).settings
    applied = await _applied(request)
    return JSONResponse(
        {
            "version": settings.version,
            "revision": settings.revision,
            "schema_head": settings.schema_head,
            "schema_live": applied[-1] if applied else None,
        }
    )


async def add_entry(request: Request) -> JSONResponse:
    """Store an entry once per Idempotency-Key."""
    key = entries.idempotency_key(request.headers.get("idempotency-key"))
    draft = entries.draft(await _body(request))
    entry, created = await _database(request).add(key, draft)
    return JSONResponse(entry.as_json(), status_code=201 if created else 200)


async def list_entries(request: Request) -> JSONResponse:
    """List the newest entries with count and sum of all."""
    ledger = await _database(request).latest(entries.limit(request.query_params.get("limit")))
    return JSONResponse(
        {
            "entries": [entry.as_json() for entry in ledger.entries],
            "count": ledger.count,
            "sum": ledger.sum,
        }
    )


def _process(request: Request) -> Process:
    process: Process = request.app.state.process
    return process


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _applied(request: Request) -> list[str] | None:
    """Return the applied revisions, oldest first, or None when the database does not answer."""
    try:
        return await _database(request).applied()
    except psycopg.Error as problem:
        _log_database_error(problem)
        return None


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise entries.Refused(f"the body is larger than {_LARGEST_BODY} bytes", status=413)
    return body


async def _refused(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, entries.Refused)
    return JSONResponse({"error": str(problem)}, status_code=problem.status)


async def _http_error(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, HTTPException)
    return JSONResponse({"error": problem.detail}, status_code=problem.status_code, headers=problem.headers)


async def _database_error(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, psycopg.Error)
    _log_database_error(problem)
    return JSONResponse(
        {"error": "the database does not answer; the same request can be sent again"},
        status_code=503,
        headers={"Retry-After": "1"},
    )


async def _fault(request: Request, problem: Exception) -> JSONResponse:
    return JSONResponse({"error": "internal error"}, status_code=500)


def _log_database_error(problem: psycopg.Error) -> None:
    # Not the whole message: PostgreSQL's DETAIL repeats values of the row.
    words = problem.diag.message_primary or str(problem)
    fields = {"kind": type(problem).__name__, "sqlstate": problem.sqlstate, "problem": words}
    log.warning("database", extra={"fields": fields})
