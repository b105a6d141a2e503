"""Echoes every message. Argument: the port."""
import asyncio
import sys

import websockets


async def echo(socket, _path):
    async for message in socket:
        await socket.send(message)


async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), max_size=None, compression=None):
        await asyncio.Future()


asyncio.run(main())
