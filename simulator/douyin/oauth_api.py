"""The OAuth calls, and the page on which a person lets an app in. Platform reference, chapter 2."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit, urlunsplit

from aiohttp import web
from yarl import URL

from simulator.douyin import tokens
from simulator.douyin.api import Answer, Call, Endpoint
from simulator.douyin.errors import Refused
from simulator.douyin.platform import Platform

AUTHORISE = "/platform/oauth/connect/"


def access_token(call: Call) -> Answer:
    if call.string("grant_type", missing=10005) != "authorization_code":
        raise Refused(10002)
    key, secret = call.string("client_key", missing=10005), call.string("client_secret", missing=10005)
    return {"data": tokens.exchange(call.platform, key, secret, call.string("code", missing=10005))}


def refresh_token(call: Call) -> Answer:
    if call.string("grant_type", missing=10005) != "refresh_token":
        raise Refused(10002)
    key, token = call.string("client_key", missing=10005), call.string("refresh_token", missing=10005)
    return {"data": tokens.refresh(call.platform, key, token)}


def renew_refresh_token(call: Call) -> Answer:
    key, token = call.string("client_key", missing=10005), call.string("refresh_token", missing=10005)
    return {"data": tokens.renew(call.platform, key, token)}


def client_token(call: Call) -> Answer:
    if call.string("grant_type", missing=10005) != "client_credential":
        raise Refused(10002)
    key, secret = call.string("client_key", missing=10005), call.string("client_secret", missing=10005)
    return {"data": tokens.client_token(call.platform, key, secret)}


def userinfo(call: Call) -> Answer:
    open_id = call.string("open_id", missing=10005)
    try:
        tokens.grant_of_token(call.platform, call.string("access_token", missing=10005), open_id)
    except Refused:
        raise Refused(10008) from None
    account = call.platform.world.accounts[open_id]
    return {
        "data": {
            "open_id": open_id,
            "union_id": f"union-{open_id}",
            "nickname": account.name,
            "avatar": account.avatar,
        }
    }


ENDPOINTS = (
    Endpoint("POST", "/oauth/access_token/", "nobody", access_token),
    Endpoint("POST", "/oauth/refresh_token/", "nobody", refresh_token),
    Endpoint("POST", "/oauth/renew_refresh_token/", "nobody", renew_refresh_token),
    Endpoint("POST", "/oauth/client_token/", "nobody", client_token),
    Endpoint("POST", "/oauth/userinfo/", "nobody", userinfo),
)

PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>抖音授权（模拟）</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.6 system-ui,sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}}
button{{display:block;width:100%;padding:.8rem;margin:.5rem 0;font:inherit;cursor:pointer}}</style>
<h1>用抖音账号授权</h1><p>应用 <b>{app}</b> 申请：<code>{scopes}</code></p>{buttons}</html>"""
BUTTON = '<form method="post"><input type="hidden" name="open_id" value="{open_id}"><button>{name}</button></form>'


def authorise_routes(platform: Platform) -> list[web.RouteDef]:
    async def show(request: web.Request) -> web.StreamResponse:
        refusal = refused(platform, request.query)
        if refusal:
            return refusal
        if platform.settings.auto_authorise:
            return redirect(platform, request.query, platform.settings.auto_authorise)
        app = platform.world.apps[request.query["client_key"]]
        buttons = "".join(
            BUTTON.format(open_id=escape(account.open_id, quote=True), name=escape(account.name or account.open_id))
            for account in platform.world.accounts.values()
        )
        page = PAGE.format(
            app=escape(app.name or app.client_key), scopes=escape(request.query["scope"]), buttons=buttons
        )
        return web.Response(text=page, content_type="text/html")

    async def agree(request: web.Request) -> web.StreamResponse:
        refusal = refused(platform, request.query)
        form = await request.post()
        return refusal or redirect(platform, request.query, str(form.get("open_id", "")))

    return [web.get(AUTHORISE, show), web.post(AUTHORISE, agree)]


def refused(platform: Platform, query: object) -> web.Response | None:
    """What the page says in place of the accounts, when the app asks wrongly."""
    fields: dict[str, str] = dict(query)  # type: ignore[call-overload]
    app = platform.world.apps.get(fields.get("client_key", ""))
    if app is None:
        return problem("client_key 不存在 (10003)")
    if fields.get("response_type") != "code" or not fields.get("scope"):
        return problem("参数错误 (10002)")
    address = without_fragment(fields.get("redirect_uri", ""))
    if urlsplit(address).scheme not in ("http", "https"):
        return problem("非法重定向URI (10006)")
    if app.redirect_uris and address not in [without_fragment(known) for known in app.redirect_uris]:
        return problem("非法重定向URI (10006)")
    return None


def redirect(platform: Platform, query: object, open_id: str) -> web.StreamResponse:
    fields: dict[str, str] = dict(query)  # type: ignore[call-overload]
    scopes = [scope for scope in fields["scope"].split(",") if scope]
    try:
        code = tokens.new_code(platform, fields["client_key"], open_id, scopes)
    except (LookupError, ValueError) as error:
        return problem(str(error.args[0]))
    target = URL(fields["redirect_uri"]).update_query({"code": code, "state": fields.get("state", "")})
    return web.Response(status=302, headers={"Location": str(target)})


def problem(sentence: str) -> web.Response:
    return web.Response(status=400, text=f"授权失败：{sentence}", content_type="text/plain")


def without_fragment(address: str) -> str:
    return urlunsplit(urlsplit(address)._replace(fragment=""))
