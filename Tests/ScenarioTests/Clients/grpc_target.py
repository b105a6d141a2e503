"""A gRPC service without a schema: messages are bytes.

Arguments: the port; perhaps down, for its health service; perhaps strict, to end connections with many PINGs sooner.
"""
import sys
import time
from concurrent import futures

import grpc


class Echo(grpc.GenericRpcHandler):
    def service(self, call):
        name = call.method.rsplit("/", 1)[-1]
        if call.method == "/grpc.health.v1.Health/Check":
            health = b"\x08\x02" if "down" in sys.argv else b"\x08\x01"
            return grpc.unary_unary_rpc_method_handler(lambda _, context: health)
        if name == "Unary":
            return grpc.unary_unary_rpc_method_handler(self.unary)
        if name == "ServerStream":
            return grpc.unary_stream_rpc_method_handler(lambda message, _: iter([message] * 10))
        if name == "ClientStream":
            return grpc.stream_unary_rpc_method_handler(lambda messages, _: b"".join(messages))
        if name == "Bidirectional":
            return grpc.stream_stream_rpc_method_handler(lambda messages, _: (message for message in messages))
        if name == "Slow":
            return grpc.unary_unary_rpc_method_handler(lambda message, _: time.sleep(20) or message)
        if name == "Refuse":
            return grpc.unary_unary_rpc_method_handler(
                lambda _, context: context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you"))
        if name == "Detail":
            return grpc.unary_unary_rpc_method_handler(self.detail)
        return None

    @staticmethod
    def detail(_, context):
        context.set_trailing_metadata((("x-details-bin", bytes(20_000)),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many of them")

    @staticmethod
    def unary(message, context):
        context.set_trailing_metadata((("x-has-deadline", str(20 < (context.time_remaining() or 0) <= 30)),))
        return message


options = [("grpc.max_receive_message_length", 64 << 20)]
if "strict" in sys.argv:
    # A connection without data may have a PING in five minutes; those that come sooner are strikes. The second one ends
    # the connection; by default it is the third.
    options += [("grpc.http2.max_ping_strikes", 1)]
server = grpc.server(futures.ThreadPoolExecutor(16), options=options)
server.add_generic_rpc_handlers((Echo(),))
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
