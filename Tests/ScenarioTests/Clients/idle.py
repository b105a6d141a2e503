"""Thousands of idle connections.

Arguments: the port to listen on and "target": it gives back what comes. Or the port to connect to, "client", how many
connections, and a path: it opens them, has one byte come back over each, says "open", and waits until that path is
there; then it has another byte come back over each, and says "done".
"""
import asyncio
import os
import resource
import sys

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def target(port):
    async def serve(reader, writer):
        try:
            while bytes := await reader.read(100):
                writer.write(bytes)
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


async def client(port, count, path):
    connections, turn = [], asyncio.Semaphore(100)

    async def exchange(reader, writer):
        async with turn:
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"

    async def connect():
        async with turn:
            connection = await asyncio.open_connection("127.0.0.1", port)
        await exchange(*connection)
        connections.append(connection)

    await asyncio.gather(*(connect() for _ in range(count)))
    print("open", flush=True)
    while not os.path.exists(path):
        await asyncio.sleep(0.02)
    await asyncio.gather(*(exchange(*connection) for connection in connections))
    print("done", flush=True)


if sys.argv[2] == "target":
    asyncio.run(target(int(sys.argv[1])))
else:
    asyncio.run(client(int(sys.argv[1]), int(sys.argv[3]), sys.argv[4]))
