"""fakesnow's server with what it lacks: key pairs, chunks, faults.

    python -m tests.fakes.snowflake_server --port 17080

`POST /fake` changes its settings (see `Settings`). `GET /fake` returns the recorded requests.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import fakesnow.server as fakesnow_server
import jwt
import pyarrow as pa
import uvicorn
from cryptography.hazmat.primitives import serialization
from fakesnow.arrow import to_ipc
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.snowflake_big import Big


@dataclass
class Fault:
    """A fault at `on` (login, query, chunk), for the next `times` requests (-1: always).

    `status` answers with an HTTP status, `code` with an error of the server. `cut` ends the
    connection in the middle of the body. `delay` waits.
    """

    on: str
    times: int = 1
    status: int | None = None
    code: int | None = None
    message: str = "fault"
    sqlstate: str = "42000"
    cut: bool = False
    delay: float = 0.0


@dataclass
class Settings:
    """Users with their secrets, rows per chunk, faults, and a generated table."""

    users: dict[str, dict[str, str]] = field(default_factory=dict)
    chunk_rows: int = 50_000
    faults: list[Fault] = field(default_factory=list)
    big: Big | None = None
    slow: float = 0.0  # seconds that a query with CTEs runs; polls report that it is running


settings = Settings()
seen: dict[str, Any] = {"logins": [], "queries": [], "chunks": 0, "polls": 0}
chunks: dict[str, bytes] = {}
running: dict[str, asyncio.Task[Response]] = {}


def take_fault(on: str) -> Fault | None:
    for fault in settings.faults:
        if fault.on == on and fault.times != 0:
            fault.times -= fault.times > 0
            return fault
    return None


def refusal(code: int, message: str, sqlstate: str = "08001") -> JSONResponse:
    data = {"errorCode": f"{code:06d}", "sqlState": sqlstate}
    body = {"data": data, "code": f"{code:06d}", "message": message, "success": False}
    return JSONResponse(body)


async def broken(fault: Fault | None) -> Response | None:
    """Return the answer that a fault requires, None if the request continues."""
    if fault is None:
        return None
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.status is not None:
        return Response(status_code=fault.status, content=b"fault")
    if fault.code is not None:
        return refusal(fault.code, fault.message, fault.sqlstate)
    return None


async def read_json(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    document: dict[str, Any] = json.loads(body)
    return document


async def login(request: Request) -> Response:
    if answer := await broken(take_fault("login")):
        return answer
    data = (await read_json(request))["data"]
    seen["logins"].append(
        {
            "user": data.get("LOGIN_NAME"),
            "authenticator": data.get("AUTHENTICATOR"),
            "provider": data.get("PROVIDER"),
            "session_parameters": data.get("SESSION_PARAMETERS"),
            "role": request.query_params.get("roleName"),
            "warehouse": request.query_params.get("warehouse"),
        }
    )
    if settings.users and (refused := check_credentials(data)):
        return refused
    response = await fakesnow_server.login_request(request)
    document = json.loads(bytes(response.body))
    document["data"] |= {"masterToken": "master", "validityInSeconds": 3600}
    document["data"] |= {"masterValidityInSeconds": 14400, "sessionId": 1}
    return JSONResponse(document)


def check_credentials(data: dict[str, Any]) -> JSONResponse | None:
    if data.get("AUTHENTICATOR") == "WORKLOAD_IDENTITY":
        known = any(attested(str(data.get("TOKEN")), user) for user in settings.users.values())
        if data.get("PROVIDER") == "GCP" and known:
            return None
        return refusal(394300, "The workload identity token is not valid.")
    name = str(data.get("LOGIN_NAME", "")).upper()
    user = settings.users.get(name)
    wrong = refusal(390100, "Incorrect username or password was specified.")
    if user is None:
        return wrong
    if data.get("AUTHENTICATOR") == "SNOWFLAKE_JWT":
        return (
            None
            if verified(str(data["TOKEN"]), name, user)
            else refusal(390144, "JWT token is invalid.")
        )
    if data.get("AUTHENTICATOR") == "OAUTH":
        good = user.get("token") and data.get("TOKEN") == user["token"]
        return None if good else refusal(390303, "Invalid OAuth access token.")
    good = user.get("password") and data.get("PASSWORD") == user["password"]
    return None if good else wrong


def verified(token: str, name: str, user: dict[str, str]) -> bool:
    """Check the signature, and that the issuer ends in the user's name and the key's fingerprint."""
    key = serialization.load_pem_public_key(user["public_key"].encode())
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()
    try:
        claims = jwt.decode(token, key, algorithms=["RS256"])  # type: ignore[arg-type]
    except jwt.InvalidTokenError:
        return False
    return str(claims.get("iss", "")).endswith(f"{name}.{fingerprint}")


def attested(token: str, user: dict[str, str]) -> bool:
    """Check a token of Google: signature, issuer, audience, end, and the user's subject."""
    if "subject" not in user:
        return False
    try:
        claims = jwt.decode(
            token, user["google_key"], algorithms=["RS256"], audience="snowflakecomputing.com",
            issuer="https://accounts.google.com", options={"require": ["exp", "iat", "sub"]},
        )  # fmt: skip
    except jwt.InvalidTokenError:
        return False
    return bool(claims["sub"] == user["subject"])


async def query(request: Request) -> Response:
    if answer := await broken(take_fault("query")):
        return answer
    document = await read_json(request)
    sql = document["sqlText"]
    seen["queries"].append({"sql": sql, "parameters": document.get("parameters")})
    if settings.big is not None and settings.big.table in sql:
        return JSONResponse(settings.big.answer(base_url(request), sql))
    if settings.slow and sql.startswith("WITH"):
        number = f"{len(running):08d}-0000-0000-0000-000000000000"
        running[number] = asyncio.create_task(slowly(request, settings.slow))
        return in_progress(number)
    return await run(request)


async def slowly(request: Request, seconds: float) -> Response:
    await asyncio.sleep(seconds)
    return await run(request)


def in_progress(number: str) -> JSONResponse:
    """Return the server's answer every 45 s while a query runs (here every second)."""
    data = {"queryId": number, "getResultUrl": f"/queries/{number}/result"}
    body = {"data": data, "code": "333333", "message": "Query in progress", "success": True}
    return JSONResponse(body)


async def result(request: Request) -> Response:
    number = request.path_params["number"]
    seen["polls"] += 1
    done, _ = await asyncio.wait([running[number]], timeout=1.0)
    return running[number].result() if done else in_progress(number)


async def run(request: Request) -> Response:
    response = await fakesnow_server.query_request(request)
    document = json.loads(bytes(response.body))
    if document.get("success") and document["data"].get("rowsetBase64"):
        split(document["data"], base_url(request))
        return JSONResponse(document)
    return response


def base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def split(data: dict[str, Any], url: str) -> None:
    """Split a result into the first rows inline and chunks to download."""
    with pa.ipc.open_stream(base64.b64decode(data["rowsetBase64"])) as reader:
        table = reader.read_all()
    size = settings.chunk_rows
    if table.num_rows <= size:
        return
    data["rowsetBase64"] = base64.b64encode(to_ipc(table.slice(0, size))).decode()
    data["chunks"] = []
    for start in range(size, table.num_rows, size):
        part = table.slice(start, size).combine_chunks()
        plain = to_ipc(part).to_pybytes()
        name = f"{data['queryId']}-{start}"
        chunks[name] = gzip.compress(plain, 1)
        data["chunks"].append(
            {
                "url": f"{url}/chunks/{name}",
                "rowCount": part.num_rows,
                "uncompressedSize": len(plain),
                "compressedSize": len(chunks[name]),
            }
        )
    data["chunkHeaders"] = {"x-fake": "1"}


async def chunk(request: Request) -> Response:
    seen["chunks"] += 1
    fault = take_fault("chunk")
    if answer := await broken(fault):
        return answer
    name = request.path_params["name"]
    big = settings.big
    body = big.chunk(name) if big is not None and name.startswith("big-") else chunks[name]
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
    if fault is not None and fault.cut:
        return StreamingResponse(half(body), headers=headers)
    return Response(body, headers=headers)


async def half(body: bytes) -> AsyncIterator[bytes]:
    """Yield half of the body, then break the connection."""
    yield body[: len(body) // 2]
    raise ConnectionResetError("fault: cut")


async def change(request: Request) -> Response:
    """Replace the settings that the body names."""
    body = await request.json()
    if "users" in body:
        settings.users = {name.upper(): user for name, user in body["users"].items()}
    if "chunk_rows" in body:
        settings.chunk_rows = body["chunk_rows"]
    if "faults" in body:
        settings.faults = [Fault(**fault) for fault in body["faults"]]
    if "slow" in body:
        settings.slow = body["slow"]
    if "big" in body:
        settings.big = Big(**body["big"]) if body["big"] else None
    if body.get("forget"):
        seen.update(logins=[], queries=[], chunks=0, polls=0)
        chunks.clear()
    return JSONResponse({})


async def report(_: Request) -> Response:
    return JSONResponse(seen)


ROUTES = [
    Route("/session/v1/login-request", login, methods=["POST"]),
    Route("/queries/v1/query-request", query, methods=["POST"]),
    Route("/queries/{number}/result", result, methods=["GET"]),
    Route("/chunks/{name}", chunk, methods=["GET"]),
    Route("/fake", change, methods=["POST"]),
    Route("/fake", report, methods=["GET"]),
]

app = Starlette(routes=[*ROUTES, *fakesnow_server.routes])

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, log_level="critical")
