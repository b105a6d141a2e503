"""Sends messages of several sizes and expects them back; with a path, keeps the socket open until that file is there.
Arguments: the URL, the authority's certificate or -, and such a path or nothing."""
import asyncio
import os
import ssl
import sys

import websockets


async def main(url, roots, path=None):
    context = ssl.create_default_context(cafile=roots) if roots != "-" else None
    async with websockets.connect(url, ssl=context, max_size=None, compression=None) as socket:
        for size in (0, 1, 125, 126, 70_000, 3_000_000):
            await socket.send("x" * size)
            assert await socket.recv() == "x" * size
        print("open", flush=True)
        while path and not os.path.exists(path):
            await socket.send("still there?")
            assert await socket.recv() == "still there?"
            await asyncio.sleep(0.02)
    print("closed", socket.close_code)


asyncio.run(main(*sys.argv[1:]))
