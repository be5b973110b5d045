"""A conversation as a page that reads and prints well, without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

import orjson

from audit.watermark import html_style
from scrm.db import Row
from scrm.permissions import Language

WORDS: dict[Language, dict[str, str]] = {
    "zh-CN": {
        "recalled": "已撤回", "withheld": "内容未向导出人开放", "removed": "内容已按规则移除，证据链中保留其哈希", "file": "文件",
        "unsealed": "尚未入链", "messages": "条消息", "customer": "客户", "agent": "员工", "bot": "自动应答", "app": "应用", "system": "系统",
        "note": "本页便于阅读；以 statements.txt 中的原始记录为准，核验方法见 README.html。", "missing": "文件未保存",
    },
    "en": {
        "recalled": "recalled", "withheld": "content not open to who exported", "removed": "content removed by rule; its hash stays in the chain",
        "file": "file", "unsealed": "not sealed yet", "messages": "messages", "customer": "Customer", "agent": "Employee", "bot": "Automatic answer",
        "app": "App", "system": "System", "note": "This page is for reading; the records in statements.txt count. How to verify them: README.html.",
        "missing": "file not stored",
    },
}  # fmt: skip
STYLE = """
*{box-sizing:border-box}body{margin:0 auto;max-width:820px;padding:28px 22px;font:15px/1.6 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;color:#1d232b;background:#fff}
h1{font-size:20px;margin:0 0 4px}.sub,time,.tag,.why{color:#6a7480;font-size:12.5px}header{border-bottom:1px solid #dfe3e8;padding-bottom:14px;margin-bottom:18px}
.m{margin:0 0 14px;max-width:82%;break-inside:avoid}.m.out{margin-left:auto;text-align:right}.b{display:inline-block;text-align:left;padding:8px 12px;border-radius:10px;background:#f1f3f5;white-space:pre-wrap;overflow-wrap:anywhere}
.out .b{background:#e4f2ea}.m.gone .b{background:#fff6e0;border:1px dashed #d9a441}.tag{margin-left:6px;color:#9a6400}.who{font-weight:600;font-size:13px}img{max-width:320px;max-height:320px;display:block;border-radius:8px}
code{font-size:12px;overflow-wrap:anywhere}@page{margin:16mm}@media print{body{max-width:none;padding:0}a{color:inherit}}
"""
POLICY = "default-src 'none'; img-src 'self' data: file:; style-src 'unsafe-inline'"


def head(language: Language, title: str, sub: str, mark: str) -> bytes:
    words = WORDS[language]
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{STYLE}{html_style(mark)}</style></head>'
        f'<body><header><h1>{escape(title)}</h1><p class="sub">{escape(sub)}</p><p class="sub">{escape(words["note"])}</p></header>\n'
    ).encode()


def foot(mark: str) -> bytes:
    return f'<footer class="sub">{escape(mark)}</footer></body></html>\n'.encode()


def message(
    row: Row, language: Language, zone: ZoneInfo, state: str, files: Sequence[tuple[str, str, bool]], number: int | None
) -> bytes:
    """``state``: there, withheld, removed or unsealed; ``files``: name, place in the package (empty: not there), whether it is a picture."""
    words = WORDS[language]
    at: datetime = row["sent_at"]
    moment = at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    tags = [words["recalled"]] if row["recalled_at"] is not None else []
    if state in ("removed", "withheld"):
        body = f"<i>{escape(words[state])}</i>"
        files = []
    else:
        body = _said(row)
    if state == "unsealed":
        tags.append(words["unsealed"])
    shown = "".join(_file(*one, words) for one in files)
    marks = "".join(f'<span class="tag">{escape(one)}</span>' for one in tags)
    who = row["sender_name"] or words.get(row["sender_kind"], "")
    side = ("out" if row["direction"] == "out" else "in") + (" gone" if row["recalled_at"] is not None else "")
    return (
        f'<div class="m {side}" id="m{row["id"]}"><div><span class="who">{escape(who)}</span> <time datetime="{at.isoformat()}">{moment}</time>'
        f' <span class="why">#{row["seq"]}{f" · {number}" if number else ""}</span>{marks}</div><div class="b">{body}{shown}</div></div>\n'
    ).encode()


def _said(row: Row) -> str:
    text = escape(row["text"])
    if row["kind"] == "text" or not row["content"]:
        return text
    content = escape(orjson.dumps(row["content"], option=orjson.OPT_INDENT_2).decode()[:20_000])
    return f"{text}{' ' if text else ''}<small>[{escape(row['kind'])}]</small><br><code>{content}</code>"


def _file(name: str, place: str, picture: bool, words: dict[str, str]) -> str:
    if not place:
        return f"<div><i>{escape(words['missing'])}: {escape(name)}</i></div>"
    if picture:
        return f'<a href="../../{place}"><img src="../../{place}" alt="{escape(name)}"></a>'
    return f'<div><a href="../../{place}">{escape(words["file"])}: {escape(name or place)}</a></div>'
