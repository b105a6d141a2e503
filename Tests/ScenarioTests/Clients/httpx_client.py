"""httpx over both protocols. Arguments: the port of an HTTPS listener, the file of the roots."""
import asyncio
import collections
import sys

import httpx


async def ask(is_http2):
    url = f"https://localhost:{sys.argv[1]}"
    limits = httpx.Limits(max_connections=8)
    async with httpx.AsyncClient(
            http2=is_http2, verify=sys.argv[2], timeout=30, limits=limits, trust_env=False) as client:
        answers = await asyncio.gather(*(client.get(f"{url}/{index}") for index in range(300)))
        counts = collections.Counter((answer.http_version, answer.status_code) for answer in answers)

        async def body():
            for _ in range(100):
                yield b"x" * 10_000
        upload = await client.post(f"{url}/echo", content=body())
        return sorted(counts.items()), upload.status_code, len(upload.content)


for is_http2 in (False, True):
    print(*asyncio.run(ask(is_http2)))
