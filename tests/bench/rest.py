"""The baseline of the API: aiohttp, asyncpg and one query. `python -m tests.bench.rest PORT DATABASE-URL`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import asyncpg
from aiohttp import web

POOL = 10
PATH = "/api/v1/children"
SCHEMA = """
CREATE TABLE r_token (token text PRIMARY KEY, parent_id int, expires_at timestamptz);
CREATE TABLE r_child (id text PRIMARY KEY, parent_id int, name text, school text, class text, grade int);
CREATE INDEX ON r_child (parent_id);
"""
_QUERY = """
SELECT (SELECT coalesce(json_agg(json_build_object(
          'id', c.id, 'name', c.name, 'school', c.school, 'class', c.class, 'grade', c.grade)
          ORDER BY c.name, c.id), '[]')
        FROM r_child c WHERE c.parent_id = t.parent_id)::text
  FROM r_token t WHERE t.token = $1 AND t.expires_at > now()
"""
_pool = web.AppKey("pool", asyncpg.Pool)


def application(database_url: str) -> web.Application:
    """One route: whose token it is, and their children."""

    async def pool(app: web.Application) -> AsyncIterator[None]:
        app[_pool] = await asyncpg.create_pool(database_url, min_size=POOL, max_size=POOL)
        yield
        await app[_pool].close()

    async def children(request: web.Request) -> web.Response:
        row = await request.app[_pool].fetchrow(_QUERY, request.headers.get("Authorization", "")[7:])
        if row is None:
            return web.Response(status=401)
        return web.Response(text=f'{{"items":{row[0]},"next_cursor":null}}', content_type="application/json")

    app = web.Application()
    app.cleanup_ctx.append(pool)
    app.router.add_get(PATH, children)
    return app


if __name__ == "__main__":
    web.run_app(application(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
