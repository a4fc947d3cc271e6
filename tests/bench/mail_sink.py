"""A mail server of its own process, which may be as far away as one likes.

`python -m tests.bench.mail_sink PORT MILLISECONDS` waits so long before each answer, as a longer
way there and back would.
"""

import asyncio
import logging
import sys

from aiosmtpd.smtp import SMTP


class Taker:
    async def handle_DATA(self, server: SMTP, session: object, envelope: object) -> str:
        return "250 Taken"


class FarAway(SMTP):
    seconds = 0.0

    async def push(self, status: str | bytes) -> None:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        await super().push(status)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FarAway(Taker()), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    logging.disable()
    FarAway.seconds = float(sys.argv[2]) / 1000
    asyncio.run(serve(int(sys.argv[1])))
