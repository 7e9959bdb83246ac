"""One policy: which errors are repeated, for how long, and that nothing repeats around it."""

from __future__ import annotations

import http.client
import logging
from types import SimpleNamespace

import pytest
import requests
import urllib3
from google.api_core import exceptions as google_errors
from google.auth.exceptions import RefreshError, TransportError
from google.cloud.storage.exceptions import InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from contract import retries
from contract.exceptions import DeniedError
from contract.retries import BRIEF_RETRY, RETRY, is_transient, while_denied
from job.runtime.disk import is_disk_error

TRANSIENT = [
    google_errors.TooManyRequests("x"),
    google_errors.ResourceExhausted("x"),
    google_errors.InternalServerError("x"),
    google_errors.BadGateway("x"),
    google_errors.ServiceUnavailable("x"),
    google_errors.GatewayTimeout("x"),
    google_errors.DeadlineExceeded("x"),
    google_errors.Aborted("x"),
    google_errors.from_http_status(408, "x"),
    google_errors.Forbidden("x", errors=[{"reason": "rateLimitExceeded"}]),
    InvalidResponse(SimpleNamespace(status_code=503), "x"),
    TransportError(requests.ConnectionError("x")),
    ConnectionResetError("x"),
    requests.ConnectionError("x"),
    requests.Timeout("x"),
    requests.exceptions.ChunkedEncodingError("x"),
    urllib3.exceptions.ProtocolError("x"),
    http.client.RemoteDisconnected("x"),
]
PERMANENT = [
    google_errors.BadRequest("x"),
    google_errors.Forbidden("x"),
    google_errors.Forbidden("x", errors=[{"reason": "quotaExceeded"}]),
    google_errors.NotFound("x"),
    google_errors.Conflict("x"),
    google_errors.PreconditionFailed("x"),
    google_errors.Unknown("x"),
    InvalidResponse(SimpleNamespace(status_code=412), "x"),
    RefreshError("x"),
    ValueError("x"),
    OSError(28, "No space left on device"),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_a_repetition_may_help(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", PERMANENT, ids=lambda error: type(error).__name__)
def test_a_repetition_cannot_help(error: Exception) -> None:
    assert not is_transient(error)


def test_the_figures_are_those_that_are_documented(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The waits' bounds double from 0.5 to 5 s; the last try is before 60 s have passed."""
    clock, bounds = [0.0], []

    def draw(low: float, high: float) -> float:
        assert low == 0.0
        bounds.append(high)
        return high

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    # A module that another test imports may have configured the function's log.
    monkeypatch.setattr(logging.getLogger("mmm"), "propagate", True)
    monkeypatch.setattr("google.api_core.retry.retry_base.random.uniform", draw)
    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def fail() -> None:
        raise google_errors.ServiceUnavailable("away")

    for policy, deadline in ((RETRY, retries.DEADLINE), (BRIEF_RETRY, retries.BRIEF_DEADLINE)):
        clock[0] = 0.0
        bounds.clear()
        with caplog.at_level(logging.WARNING), pytest.raises(google_errors.RetryError):
            policy(fail)()
        assert bounds[:6] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
        assert deadline - 5 < clock[0] <= deadline
    assert "trying again after ServiceUnavailable" in caplog.text


def test_all_that_the_storage_client_repeats_by_default_is_repeated() -> None:
    """Its rule has no public name; the policy's own must not fall behind it."""

    def repeats(error: Exception) -> bool:
        def fail() -> None:
            raise error

        try:
            DEFAULT_RETRY.with_timeout(0.0)(fail)()
        except google_errors.RetryError:  # it would have, but for the time
            return True
        except Exception:
            return False
        return False

    known = [error for error in TRANSIENT + PERMANENT if repeats(error)]
    assert len(known) > 10
    assert [error for error in known if not is_transient(error)] == []


def test_a_call_that_stays_denied_says_so_and_is_no_cause_of_itself() -> None:
    def fail() -> None:
        raise DeniedError("no access")

    with pytest.raises(DeniedError, match="no access") as caught:
        while_denied(fail, 0.01)
    assert not is_disk_error(caught.value)
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert not is_disk_error(first)


def test_a_call_that_is_denied_once_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    answers = iter([DeniedError("not yet"), DeniedError("not yet"), 5])

    def call() -> int:
        answer = next(answers)
        if isinstance(answer, DeniedError):
            raise answer
        return answer

    assert while_denied(call, 60) == 5
