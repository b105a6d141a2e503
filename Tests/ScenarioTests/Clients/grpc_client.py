"""All four kinds of calls, and errors. Arguments: the port, the authority's certificate."""
import sys
import time

import grpc

port, roots = sys.argv[1:]
credentials = grpc.ssl_channel_credentials(open(roots, "rb").read())
channel = grpc.secure_channel(f"localhost:{port}", credentials, [
    ("grpc.max_receive_message_length", 64 << 20), ("grpc.max_metadata_size", 64 << 10)])
megabyte = bytes(range(256)) * 4096


def code(method, message=b"x", timeout=10):
    try:
        channel.unary_unary(f"/test.Echo/{method}")(message, timeout=timeout)
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


answer, call = channel.unary_unary("/test.Echo/Unary").with_call(megabyte, timeout=30)
print("unary", answer == megabyte, dict(call.trailing_metadata()))
print("server", sum(map(len, channel.unary_stream("/test.Echo/ServerStream")(megabyte, timeout=30))))
print("client", len(channel.stream_unary("/test.Echo/ClientStream")(iter([megabyte] * 5), timeout=30)))
print("both", sum(map(len, channel.stream_stream("/test.Echo/Bidirectional")(iter([megabyte] * 5), timeout=30))))
print("refused", code("Refuse"))
try:
    channel.unary_unary("/test.Echo/Detail")(b"x", timeout=10)
except grpc.RpcError as error:  # its status and its details are in trailers of 27 KB
    print("details", error.code().name, error.details(), len(dict(error.trailing_metadata()).get("x-details-bin", b"")))
print("unknown", code("Nothing"))
print("late", code("Slow", timeout=0.5))
future = channel.unary_unary("/test.Echo/Slow").future(b"x")
time.sleep(0.2)
future.cancel()
print("cancelled", future.cancelled())
print("nowhere", code("../nowhere/Call"))
