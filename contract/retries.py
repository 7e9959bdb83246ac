"""The one policy for retries of calls to Google's services.

A call that fails with a transient error is repeated after a random wait below a bound, which grows
from INITIAL to MAXIMUM seconds by the factor MULTIPLIER, until DEADLINE seconds after the first
try. Each repetition is logged as a warning. Every client gets this policy as its `retry` argument,
which replaces the client's default. No caller adds a second loop of retries.

Pub/Sub and the reads of Cloud Run get BRIEF_RETRY, which ends after BRIEF_DEADLINE seconds: the
function has to answer within a minute. `run_job` is never retried, because it is not idempotent.

A 403 may pass, because a grant of IAM takes minutes to take effect. It raises DeniedError, which
ends no run before GRANT has passed: the trigger refuses the delivery, so that the message is
delivered again, `reconcile` launches again, and the job (`job.attempt.patience`) tries again.
Before that, the job repeats each call to the bucket for DENIED_SECONDS, so that training goes on.

Snowflake's connector retries by itself, with the timeouts that `job.sources.snowflake` sets.
"""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import requests
import urllib3
from google.api_core.exceptions import Aborted, GoogleAPICallError, RetryError
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import TransportError

from contract.exceptions import DeniedError

T = TypeVar("T")
GRANT = timedelta(minutes=15)
DENIED_SECONDS = 60.0
INITIAL = 0.5
MAXIMUM = 5.0
MULTIPLIER = 2.0
DEADLINE = 60.0
BRIEF_DEADLINE = 20.0

TOO_MANY = 429
_CODES = frozenset({408, 429, 500, 502, 503, 504})
_REASONS = frozenset({"rateLimitExceeded", "backendError"})  # BigQuery reports these with 403
_NO_ANSWER = (
    Aborted,
    TransportError,
    ConnectionError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.PoolError,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.TimeoutError,
    http.client.BadStatusLine,
    http.client.IncompleteRead,
    http.client.ResponseNotReady,
)
log = logging.getLogger("mmm.retries")


def is_transient(error: Exception) -> bool:
    """Return whether a repetition of a failed call may succeed.

    True for a connection that fails or breaks, a timeout, HTTP 408, 429, 500, 502, 503 and 504,
    gRPC's equivalents of them, and a rate limit.
    """
    if isinstance(error, _NO_ANSWER):
        return True
    if isinstance(error, GoogleAPICallError):
        reasons = {fault.get("reason") for fault in error.errors if isinstance(fault, dict)}
        if not reasons.isdisjoint(_REASONS):
            return True
    return status_of(error) in _CODES


def status_of(error: Exception) -> int | None:
    """Return the HTTP status of a failed call, None if there was no answer."""
    if isinstance(error, GoogleAPICallError):
        return error.code
    response = getattr(error, "response", None)  # as Cloud Storage raises it during an upload
    return getattr(response, "status_code", None)


def _log_retry(error: Exception) -> None:
    log.warning("trying again after %s: %s", type(error).__name__, error)


RETRY = Retry(
    predicate=is_transient,
    initial=INITIAL,
    maximum=MAXIMUM,
    multiplier=MULTIPLIER,
    timeout=DEADLINE,
    on_error=_log_retry,
)
BRIEF_RETRY = RETRY.with_timeout(BRIEF_DEADLINE)


def while_denied(call: Callable[[], T], seconds: float) -> T:
    """Repeat a call that raises DeniedError, until `seconds` after the first try.

    Raises:
        DeniedError: access is still denied.
    """
    policy = RETRY.with_predicate(if_exception_type(DeniedError)).with_timeout(seconds)
    last: DeniedError | None = None

    def noted() -> T:
        nonlocal last
        try:
            return call()
        except DeniedError as error:
            last = error
            raise

    try:
        result: T = policy(noted)()
        return result
    except RetryError:
        message = last.message if last else "access is denied"
    raise DeniedError(message)  # a new one: the client's error has the old one as its cause
