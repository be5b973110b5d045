"""``/docs``: the description as one page to read. It loads nothing and runs nothing."""

from __future__ import annotations

from html import escape
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = """
:root { color-scheme: light dark; font: 15px/1.55 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 13px/1.5 ui-monospace, Consolas, monospace; }
details { border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: 8px; margin: .5rem 0; }
summary { padding: .6rem .8rem; cursor: pointer; }
details > div { padding: 0 .8rem .8rem; }
b.method { display: inline-block; min-width: 4.2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }
pre { overflow: auto; max-height: 24rem; padding: .6rem; border-radius: 6px;
      background: color-mix(in srgb, currentColor 6%, transparent); }
"""


def render(description: dict[str, Any]) -> str:
    info = description["info"]
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(info['title'])} API</title>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<style>{STYLE}</style><h1>{escape(info['title'])} API {escape(info['version'])}</h1>",
        f"<p>{_text(info['description'])}</p>",
        "<p>接口说明由服务自身的类型生成，机器可读版本见 <a href='/openapi.json'><code>/openapi.json</code></a>。"
        "浏览器用会话 cookie 登录，修改类请求需带 <code>X-CSRF-Token</code>；程序用 <code>Authorization: Bearer …</code>。</p>"
        "<p>Generated from the service's own types; for programs see <a href='/openapi.json'><code>/openapi.json</code></a>. "
        "Browsers sign in and send <code>X-CSRF-Token</code> with every change; programs send "
        "<code>Authorization: Bearer …</code>.</p>",
    ]
    for path, operations in description["paths"].items():
        parts += [_operation(method, path, operation) for method, operation in operations.items()]
    parts.append("<h2>Shapes / 数据结构</h2>")
    parts += [_shape(name, schema) for name, schema in sorted(description["components"]["schemas"].items())]
    return "".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td><td>{_kind(one['schema'])}</td></tr>"
        for one in operation.get("parameters", [])
    )
    body = ""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        body = f"<p>Body <code>{escape(media)}</code>: {_kind(content['schema'])}</p>"
    answers = "".join(
        f"<tr><td>{escape(status)}</td><td>{_text(answer['description'])}</td><td>{_content(answer)}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    return (
        f"<details><summary><b class='method'>{escape(method.upper())}</b> <code>{escape(path)}</code> "
        f"{escape(operation['summary'])}</summary><div><p>{_text(operation.get('description', ''))}</p>"
        f"<table>{rows}</table>{body}<table>{answers}</table></div></details>"
    )


def _shape(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in required else ' ?'}</td><td>{_kind(one)}</td>"
        f"<td>{_text(one.get('description', ''))}</td></tr>"
        for field, one in schema.get("properties", {}).items()
    )
    return (
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code> {_text(schema.get('description', ''))}</summary>"
        f"<div><table>{rows}</table></div></details>"
    )


def _content(answer: dict[str, Any]) -> str:
    return ", ".join(_kind(content["schema"]) for content in answer.get("content", {}).values())


def _kind(schema: Any) -> str:
    if not isinstance(schema, dict):
        return "any"
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"<a href='#{escape(name)}'>{escape(name)}</a>"
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(" ".join(str(schema[key]) for key in ("type", "format") if key in schema) or "any")


def _text(text: str) -> str:
    """Escaped, with `code` between backquotes."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
