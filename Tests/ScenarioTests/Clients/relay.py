"""Both sides of connections that are passed on, which know what the other one sends: random data in random pieces, and
random ends.

Each connection begins with its number; from that and the seed follow the bytes of either direction, and which side is
the first to say that it has no more. Both sides compare digests of all they got.

Arguments: the port to listen on, "target" and the seed; or the port to connect to, "client", the seed, how many
connections, how many at a time, the target's own port to ask it, and the file of the roots where TLS is spoken. The
client writes how many bytes it has sent and got; after a failure it ends with 1 and says the seed.
"""
import asyncio
import hashlib
import json
import random
import ssl
import struct
import sys

REPORT = 0xFFFFFFFF


class Plan:
    """What happens on one connection."""

    def __init__(self, seed, number):
        self.random = random.Random(f"{seed}-{number}")
        self.sent = self.bytes()
        self.answered = self.bytes()
        # Who waits for the other's end before it sends: nobody, the target, or the client.
        self.waits = self.random.choice(("nobody", "target", "client"))
        self.salt = self.random.random()

    def bytes(self):
        dice = self.random.random()
        if dice < 0.08:
            return b""
        most = 20 if dice < 0.3 else 4_000 if dice < 0.8 else 65_536 if dice < 0.995 else 600_000
        return self.random.randbytes(self.random.randint(1, most))

    def pieces(self, bytes, side):
        """`bytes` in pieces, which are the same every time, and whether to let others run before each."""
        dice = random.Random(f"{self.salt}-{side}")
        start = 0
        while start < len(bytes):
            count = dice.choice((1, dice.randint(1, 100), dice.randint(1, 20_000), len(bytes)))
            if len(bytes) > 100_000:
                count = max(count, 5_000)
            yield bytes[start:start + count], dice.random() < 0.3
            start += count


def digest(bytes):
    return hashlib.blake2b(bytes).digest()


class PlainStream:
    """One end of a connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def send(self, bytes):
        self.writer.write(bytes)
        await self.writer.drain()

    def end(self):
        self.writer.write_eof()

    async def rest(self):
        got = bytearray()
        while bytes := await self.reader.read(65_536):
            got += bytes
        return got

    async def close(self):
        self.writer.close()
        await self.writer.wait_closed()


class SecureStream(PlainStream):
    """One end over TLS, of which either direction may end before the other, as asyncio's own does not let them."""

    def __init__(self, reader, writer, context):
        super().__init__(reader, writer)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.got, self.is_over = bytearray(), False

    async def begin(self):
        while True:
            try:
                self.session.do_handshake()
                return self.flush()
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(await self.more())

    async def more(self):
        bytes = await self.reader.read(65_536)
        if not bytes:
            raise ConnectionError("it ended without a word of TLS")
        return bytes

    def flush(self):
        if bytes := self.outgoing.read():
            self.writer.write(bytes)

    def open(self):
        """Takes out what has come so far."""
        try:
            while not self.is_over:
                bytes = self.session.read(65_536)
                self.is_over = not bytes
                self.got += bytes
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.is_over = True

    async def send(self, bytes):
        self.session.write(bytes)
        self.flush()
        await self.writer.drain()

    def end(self):
        # It looks at what has come, and takes data for a fault.
        self.open()
        try:
            self.session.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()

    async def rest(self):
        while True:
            self.open()
            if self.is_over:
                return self.got
            self.incoming.write(await self.more())


async def speak(stream, plan, side):
    """Sends what `side` has to, and returns what it got."""
    if plan.waits == side:
        got = await stream.rest()
        await say(stream, plan, side)
        return got
    if plan.waits != "nobody":
        await say(stream, plan, side)
        return await stream.rest()
    # Both directions at once.
    saying = asyncio.create_task(say(stream, plan, side))
    got = await stream.rest()
    await saying
    return got


async def converse(stream, plan, side):
    """Does one side of a connection; what was wrong, or nothing."""
    got = await speak(stream, plan, side)
    wanted = plan.answered if side == "client" else plan.sent
    if digest(got) == digest(wanted):
        return None
    same = next((at for at, (one, other) in enumerate(zip(got, wanted)) if one != other), min(len(got), len(wanted)))
    return f"{side} got {len(got)} bytes instead of {len(wanted)}, and {same} of them were right"


async def say(stream, plan, side):
    bytes = plan.sent if side == "client" else plan.answered
    for piece, lets_others in plan.pieces(bytes, side):
        await stream.send(piece)
        if lets_others:
            await asyncio.sleep(0)
    stream.end()


async def target(port, seed):
    report = {"count": 0, "wrong": []}

    async def serve(reader, writer):
        stream = PlainStream(reader, writer)
        number = None
        try:
            head = await reader.read(4)
            if not head:
                return
            head += await reader.readexactly(4 - len(head))
            number = struct.unpack(">I", head)[0]
            if number == REPORT:
                return await stream.send(json.dumps(report).encode())
            report["count"] += 1
            if wrong := await converse(stream, Plan(seed, number), "target"):
                report["wrong"].append(f"connection {number}: {wrong}")
        except (OSError, asyncio.IncompleteReadError) as error:
            report["wrong"].append(f"connection {number}: the target: {error!r}")
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


async def connect(port, context):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if not context:
        return PlainStream(reader, writer)
    stream = SecureStream(reader, writer, context)
    await stream.begin()
    return stream


async def client(port, seed, count, parallel, target_port, roots=None):
    context = ssl.create_default_context(cafile=roots) if roots else None
    numbers, wrong, totals = iter(range(count)), [], {"sent": 0, "got": 0}

    async def work():
        for number in numbers:
            plan = Plan(seed, number)
            try:
                stream = await connect(port, context)
                await stream.send(struct.pack(">I", number))
                if fault := await converse(stream, plan, "client"):
                    wrong.append(f"connection {number}: {fault}")
                totals["sent"] += 4 + len(plan.sent)
                totals["got"] += len(plan.answered)
                await stream.close()
            except (OSError, ssl.SSLError) as error:
                wrong.append(f"connection {number}, {plan.waits} waits, {len(plan.sent)} and "
                             f"{len(plan.answered)} bytes: the client: {error!r}")

    await asyncio.gather(*(work() for _ in range(parallel)))
    reader, writer = await asyncio.open_connection("127.0.0.1", target_port)
    writer.write(struct.pack(">I", REPORT))
    writer.write_eof()
    report = json.loads(await reader.read())
    wrong += report["wrong"]
    if report["count"] != count:
        wrong.append(f"the target has seen {report['count']} connections")
    if wrong:
        print(f"seed {seed}: {len(wrong)} of {count} are wrong", *wrong[:10], sep="\n", file=sys.stderr)
        sys.exit(1)
    print(totals["sent"], totals["got"])


if sys.argv[2] == "target":
    asyncio.run(target(int(sys.argv[1]), sys.argv[3]))
else:
    port, seed, rest = int(sys.argv[1]), sys.argv[3], sys.argv[4:]
    asyncio.run(client(port, seed, *map(int, rest[:3]), *rest[3:]))
