"""Grants and tokens. Platform reference, chapter 2: 15 and 30 days, five renewals, an app token with a grace."""

from __future__ import annotations

import hmac
import secrets

from simulator.douyin.errors import Refused
from simulator.douyin.platform import Platform
from simulator.douyin.pushes import Event
from simulator.douyin.state import App, ClientToken, Code, Grant, JsonObject

IM_PREFIX = "im."


def is_contract(scope: str) -> bool:
    """Grants that are missing in ``scope`` and reported by the ``contract_`` events."""
    return scope.startswith(IM_PREFIX) or scope.endswith(".bind")


def app_of(platform: Platform, client_key: str) -> App:
    app = platform.world.apps.get(client_key)
    if app is None:
        raise Refused(10003)
    if app.banned:
        raise Refused(28001016)
    return app


def app_with_secret(platform: Platform, client_key: str, client_secret: str) -> App:
    app = app_of(platform, client_key)
    if not hmac.compare_digest(app.client_secret.encode(), client_secret.encode()):
        raise Refused(10013)
    return app


def new_code(platform: Platform, client_key: str, open_id: str, scopes: list[str]) -> str:
    """An account scanned. Raises ``ValueError`` when it has given the messages to another app already."""
    platform.account(open_id)
    if any(is_contract(scope) for scope in scopes):
        for grant in platform.world.grants_of(open_id):
            if grant.client_key != client_key and any(is_contract(scope) for scope in grant.scopes):
                raise ValueError("this account has granted its messages to another application; unbind that first")
    codes = platform.world.codes
    for code in codes.values():
        if (code.client_key, code.open_id) == (client_key, open_id):
            code.used = True  # asking for a new code invalidates the previous one
    text = secrets.token_hex(16)
    codes[text] = Code(client_key, open_id, scopes, platform.now + platform.settings.code_life)
    return text


def exchange(platform: Platform, client_key: str, client_secret: str, text: str) -> JsonObject:
    app = app_with_secret(platform, client_key, client_secret)
    code = platform.world.codes.get(text)
    if code is None or code.used or code.until < platform.now:
        raise Refused(10007)
    if code.client_key != client_key:
        raise Refused(10014)
    code.used = True
    return described(platform, grant_access(platform, app, code.open_id, code.scopes))


def grant_access(platform: Platform, app: App, open_id: str, scopes: list[str]) -> Grant:
    """A new grant in place of an earlier one of the same account and app, with the events that report it."""
    world, settings = platform.world, platform.settings
    world.grants = [one for one in world.grants if (one.client_key, one.open_id) != (app.client_key, open_id)]
    grant = Grant(
        app.client_key,
        open_id,
        [scope for scope in scopes if scope not in app.lacks],
        f"act.{secrets.token_hex(32)}",
        platform.now + settings.access_life,
        f"rft.{secrets.token_hex(16)}",
        platform.now + settings.refresh_life,
    )
    world.grants.append(grant)
    report(platform, grant, "authorize")
    return grant


def withdraw(platform: Platform, client_key: str, open_id: str) -> None:
    """The account revokes in its app: the tokens are dead at once."""
    world = platform.world
    gone = [one for one in world.grants if (one.client_key, one.open_id) == (client_key, open_id)]
    if not gone:
        raise LookupError("there is no such grant")
    world.grants = [one for one in world.grants if one not in gone]
    for grant in gone:
        report(platform, grant, "unauthorize")


def report(platform: Platform, grant: Grant, name: str) -> None:
    ordinary = [scope for scope in grant.scopes if not is_contract(scope)]
    contract = [scope for scope in grant.scopes if is_contract(scope)]
    for event, scopes in ((name, ordinary), (f"contract_{name}", contract)):
        if scopes:
            content: JsonObject = {"scopes": scopes}
            platform.pushes.emit(Event(event, grant.open_id, grant.open_id, "", content), only_to=grant.client_key)


def refresh(platform: Platform, client_key: str, refresh_token: str) -> JsonObject:
    """While the access token lives it keeps its text and gets a new end; afterwards it is a new one."""
    grant = by_refresh_token(platform, client_key, refresh_token)
    if grant.access_until <= platform.now:
        grant.access_token = f"act.{secrets.token_hex(32)}"
    grant.access_until = platform.now + platform.settings.access_life
    return described(platform, grant)


def renew(platform: Platform, client_key: str, refresh_token: str) -> JsonObject:
    """The old refresh token is dead at once."""
    app = app_of(platform, client_key)
    if not app.may_renew:
        raise Refused(10004)
    grant = by_refresh_token(platform, client_key, refresh_token)
    if grant.renewals >= platform.settings.most_renewals:
        raise Refused(10020)
    grant.renewals += 1
    grant.refresh_token = f"rft.{secrets.token_hex(16)}"
    grant.refresh_until = platform.now + platform.settings.refresh_life
    return {"refresh_token": grant.refresh_token, "expires_in": platform.settings.refresh_life}


def by_refresh_token(platform: Platform, client_key: str, refresh_token: str) -> Grant:
    app_of(platform, client_key)
    for grant in platform.world.grants:
        if grant.client_key == client_key and hmac.compare_digest(grant.refresh_token, refresh_token):
            if grant.refresh_until <= platform.now:
                break
            return grant
    raise Refused(10010)


def described(platform: Platform, grant: Grant) -> JsonObject:
    return {
        "access_token": grant.access_token,
        "captcha": "",
        "desc_url": "",
        "expires_in": int(grant.access_until - platform.now),
        "open_id": grant.open_id,
        "refresh_expires_in": int(grant.refresh_until - platform.now),
        "refresh_token": grant.refresh_token,
        "scope": ",".join(scope for scope in grant.scopes if not is_contract(scope)),
    }


def client_token(platform: Platform, client_key: str, client_secret: str) -> JsonObject:
    app_with_secret(platform, client_key, client_secret)
    world, settings, now = platform.world, platform.settings, platform.now
    recent = [at for at in world.client_token_calls.get(client_key, []) if at > now - settings.client_token_grace]
    if len(recent) >= settings.client_tokens_per_grace:
        raise Refused(10020)
    world.client_token_calls[client_key] = [*recent, now]
    mine = [one for one in world.client_tokens if one.client_key == client_key and one.until > now]
    for one in mine:
        one.until = min(one.until, now + settings.client_token_grace)
    newest = mine[-1:]
    world.client_tokens = [one for one in world.client_tokens if one.client_key != client_key] + newest
    token = ClientToken(f"clt.{secrets.token_hex(24)}", client_key, now + settings.client_token_life)
    world.client_tokens.append(token)
    return {"access_token": token.token, "expires_in": settings.client_token_life}


def grant_of_token(platform: Platform, token: str, open_id: str) -> Grant:
    """Who calls with an account's token. Refused when it is unknown, expired or of another account."""
    for grant in platform.world.grants:
        if hmac.compare_digest(grant.access_token.encode(), token.encode()):
            if grant.access_until <= platform.now:
                raise Refused(28001008)
            if grant.open_id != open_id:
                raise Refused(28001015)
            return grant
    raise Refused(28001003)


def app_of_client_token(platform: Platform, token: str) -> App:
    for known in platform.world.client_tokens:
        if hmac.compare_digest(known.token.encode(), token.encode()):
            if known.until <= platform.now:
                raise Refused(28001008)
            return app_of(platform, known.client_key)
    raise Refused(28001003)
