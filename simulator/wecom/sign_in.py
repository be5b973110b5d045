"""Signing in at other sites as an employee (chapter 18.2): the page with the QR code, and ``auth/getuserinfo``.

The page at ``/wwlogin/sso/login`` shows who could scan in place of the code: a press of a button plays the employee, who is
sent to ``redirect_uri`` with a code that lives five minutes and works once, for the app that asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.state import App, Corp, LoginCode, World, new_id

CODE_LIFE = 300
LONGEST_STATE = 128
LONGEST_CODE = 512
OUTSIDER = "outsider"
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>企业微信登录（模拟）</title><style>body{{font:15px/1.6 system-ui,sans-serif;background:#f4f5f8;margin:0;display:grid;
place-items:center;min-height:100vh}}main{{background:#fff;border-radius:14px;padding:28px 32px;width:min(340px,88vw);
box-shadow:0 8px 30px #0002;text-align:center}}button{{display:block;width:100%;margin:8px 0;padding:10px;font:inherit;
border:1px solid #cfd5e0;border-radius:9px;background:#fff;cursor:pointer}}h1{{font-size:18px}}p{{color:#667}}
a{{color:#556}}</style><main>{body}</main></html>"""


@dataclass(frozen=True)
class Wish:
    """What the other site asks for, checked."""

    corp: Corp
    app: App
    redirect: URL
    state: str


class SignInPages:
    def __init__(self, world: World, now: Callable[[], int], changed: Callable[[], None]) -> None:
        self._world = world
        self._now = now
        self._changed = changed

    @property
    def endpoints(self) -> Endpoints:
        return {"auth/getuserinfo": Endpoint("GET", self.who)}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/wwlogin/sso/login", self.show, allow_head=False),
            web.post("/wwlogin/sso/login", self.scan),
        ]

    async def show(self, request: web.Request) -> web.Response:
        try:
            wish = self._wish(request)
        except Refused as refused:
            return _page(f"<h1>无法登录</h1><p id=problem>{escape(str(refused))}</p>", 400)
        members = [one for one in wish.corp.members.values() if one.status == 1]
        buttons = "".join(
            f'<button name=who value="{escape(one.userid)}">扫码：{escape(one.name)}</button>' for one in members
        )
        outsider = f'<button name=who value="{OUTSIDER}:">扫码：不是本企业的人</button>'
        back = escape(str(wish.redirect.update_query(state=wish.state)))
        return _page(
            f"<h1>企业微信扫码登录</h1><p>{escape(wish.corp.name or wish.corp.corp_id)} · 选择谁来扫码</p>"
            f'<form method=post action="{escape(request.path_qs)}">{buttons}{outsider}</form><a href="{back}">取消</a>'
        )

    async def scan(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            wish = self._wish(request)
            code = self.code_for(wish.corp, wish.app, str(form.get("who", "")))
        except Refused as refused:
            return _page(f"<h1>无法登录</h1><p id=problem>{escape(str(refused))}</p>", 400)
        back = wish.redirect.update_query(code=code, state=wish.state, appid=wish.corp.corp_id)
        return web.Response(status=302, headers={"Location": str(back)})

    def code_for(self, corp: Corp, app: App, userid: str) -> str:
        """What the employee's scan gives to the browser. Somebody from outside is ``outsider:``."""
        outside = userid == f"{OUTSIDER}:"
        scanned = corp.members.get(userid.lower())
        if not outside and (scanned is None or scanned.status != 1):
            raise Refused(60111)
        code = new_id("", 40)
        self._world.login_codes[code] = LoginCode(
            corp.corp_id, app.agent_id, "" if scanned is None else scanned.userid, self._now() + CODE_LIFE
        )
        self._changed()
        return code

    def who(self, call: Call) -> Answer:
        code = call.parameter("code", missing=41008)
        if len(code.encode()) > LONGEST_CODE:
            raise Refused(40029)
        known = self._world.login_codes.get(code)
        if known is None or (known.corp_id, known.agent_id) != (call.corp.corp_id, call.app.agent_id):
            raise Refused(40029)
        if known.used:
            raise Refused(42022)
        if known.expires_at <= call.now:
            raise Refused(42003)
        known.used = True
        if not known.userid:
            return {"openid": new_id("o", 27)}
        return {"userid": known.userid}

    def _wish(self, request: web.Request) -> Wish:
        query = request.query
        if query.get("login_type") != "CorpApp":
            raise Refused(40058, "login_type must be CorpApp")
        corp = self._world.corps.get(query.get("appid", ""))
        if corp is None:
            raise Refused(40013)
        agent_id = query.get("agentid", "")
        app = corp.apps.get(int(agent_id)) if agent_id.isascii() and agent_id.isdecimal() else None
        if app is None:
            raise Refused(40056)
        state = query.get("state", "")
        if len(state) > LONGEST_STATE or not state.isascii() or (state and not state.isalnum()):
            raise Refused(40058, "state must be up to 128 letters and digits")
        return Wish(corp, app, _trusted(app, query.get("redirect_uri", "")), state)


def _trusted(app: App, redirect: str) -> URL:
    parts = urlsplit(redirect)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Refused(50001, "redirect_uri is no address")
    if app.login_domain is not None and parts.netloc != app.login_domain:
        raise Refused(50001)
    return URL(redirect)


def _page(body: str, status: int = 200) -> web.Response:
    return web.Response(text=PAGE.format(body=body), content_type="text/html", status=status)
