"""A stream that is silent for a while. Arguments: the port, seconds of silence."""
import queue
import sys
import time

import grpc

port, seconds = sys.argv[1], float(sys.argv[2])
# The client's own PINGs would keep the connection busy.
channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.keepalive_time_ms", 2**31 - 1)])
messages = queue.Queue()
call = channel.stream_stream("/test.Echo/Bidirectional")(iter(messages.get, None), timeout=seconds + 60)
try:
    messages.put(b"before")
    print(next(call).decode())
    time.sleep(seconds)
    messages.put(b"after")
    print(next(call).decode())
    messages.put(None)
    print(call.code().name)
except grpc.RpcError as error:
    print(error.code().name, error.details())
