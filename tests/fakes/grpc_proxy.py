"""A gRPC service behind a check: unary calls that the check does not refuse are passed on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

Refusal = tuple[grpc.StatusCode, str]
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@contextmanager
def passed_on(host: str, check: Callable[[str, bytes], Refusal | None]) -> Iterator[str]:
    """Pass calls on to `host`; yields the address.

    `check` gets a call's method and request, and returns why the call is refused, None if it is not.
    """
    with grpc.insecure_channel(host, options=_ANY_SIZE) as channel:

        class Handler(grpc.GenericRpcHandler):
            def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
                call = channel.unary_unary(details.method)

                def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
                    if refusal := check(details.method, request):
                        context.abort(*refusal)
                    try:
                        result: bytes = call(request, timeout=30)
                        return result
                    except grpc.RpcError as error:
                        context.abort(error.code(), error.details())
                        raise

                return grpc.unary_unary_rpc_method_handler(answer)

        server = grpc.server(ThreadPoolExecutor(8), handlers=[Handler()], options=_ANY_SIZE)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None)
