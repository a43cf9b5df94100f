"""A real HTTP server that answers ranges, for a folder; says its port on the first line.

python tests/range_server.py FOLDER
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web


async def serve(folder: str) -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
