"""The page's own files, from memory: read once at the start, so that no path of a request ever reaches the disk."""

from __future__ import annotations

import gzip
import hashlib
import logging
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from aiohttp import web

from scrm.config import Settings

log = logging.getLogger(__name__)

COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml", "application/manifest+json")
FOREVER = "public, max-age=31536000, immutable"
LARGEST = 20 << 20
UNBUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>SCRM</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<body><h1>服务已启动，但页面尚未构建</h1>
<p>在源码目录执行 <code>make page</code> 或安装发布的安装包即可。接口说明见 <a href="/docs">/docs</a>。</p>
<h1>The service runs, but its page was not built</h1>
<p>Run <code>make page</code> in the source tree, or install a released package. The API is described at <a href="/docs">/docs</a>.</p>
"""


@dataclass(frozen=True, slots=True)
class PageFile:
    mime: str
    etag: str
    forever: bool
    plain: bytes
    packed: dict[str, bytes]
    """By content encoding, best first."""


class PageFiles:
    def __init__(self, settings: Settings) -> None:
        self._policy = page_policy(settings)
        folder = settings.server.page_dir or _own_folder()
        self._files = _load(folder) if folder is not None and (folder / "index.html").is_file() else {}
        if not self._files:
            log.warning("the page is not built: %s has no index.html", folder)
        self._index = self._files.get("index.html") or _made("index.html", "text/html", UNBUILT.encode(), {})

    def answer(self, request: web.Request) -> web.Response:
        """A file; for other addresses the page itself, which has its own router. A missing asset is a 404."""
        name = request.path.lstrip("/")
        found = self._files.get(name)
        if found is None:
            if name.startswith("assets/") or Path(name).suffix in {
                ".js",
                ".css",
                ".map",
                ".png",
                ".ico",
                ".svg",
                ".woff2",
            }:
                return web.Response(status=404, text="There is no such file.\n")
            found = self._index
        headers = {
            "ETag": found.etag,
            "Cache-Control": FOREVER if found.forever else "no-cache",
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": self._policy,
        }
        if request.headers.get("If-None-Match") == found.etag:
            return web.Response(status=304, headers=headers)
        accepted = request.headers.get("Accept-Encoding", "")
        for encoding, body in found.packed.items():
            if encoding in accepted:
                return _send(found, body, {**headers, "Content-Encoding": encoding})
        return _send(found, found.plain, headers)


def _send(found: PageFile, body: bytes, headers: dict[str, str]) -> web.Response:
    charset = "utf-8" if found.mime.startswith(("text/", "application/javascript")) else None
    return web.Response(body=body, content_type=found.mime, charset=charset, headers=headers)


def page_policy(settings: Settings) -> str:
    """Scripts only from here. Pictures of customers come from the platforms' own servers; in the demonstration those are
    simulators on this machine."""
    pictures = "img-src 'self' data: blob: https:" + (" http://127.0.0.1:*" if settings.demo else "")
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            pictures,
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-src 'self'",
            "frame-ancestors 'none'",
        )
    )


def _own_folder() -> Path | None:
    spec = find_spec("scrm")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "page"


def _load(folder: Path) -> dict[str, PageFile]:
    return _of_build(folder, (folder / "index.html").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _of_build(folder: Path, _: int) -> dict[str, PageFile]:
    """Servers of one process share what one build made; a new build has a new time."""
    files: dict[str, PageFile] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix in {".gz", ".br"} or path.stat().st_size > LARGEST:
            continue
        name = path.relative_to(folder).as_posix()
        packed = {}
        for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
            sibling = path.with_name(path.name + suffix)
            if sibling.is_file():
                packed[encoding] = sibling.read_bytes()
        files[name] = _made(name, _mime(name), path.read_bytes(), packed)
    return files


def _made(name: str, mime: str, plain: bytes, packed: dict[str, bytes]) -> PageFile:
    if not packed and mime.startswith(COMPRESSIBLE) and len(plain) > 1024:
        packed = {"gzip": gzip.compress(plain, 6, mtime=0)}
    # Weak: one and the same file, however it is packed.
    etag = f'W/"{hashlib.sha256(plain).hexdigest()[:24]}"'
    return PageFile(mime, etag, name.startswith("assets/"), plain, packed)


def _mime(name: str) -> str:
    if name.endswith((".js", ".mjs")):
        return "text/javascript"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
