"""Access tokens (section 1): the stable kind, which is the same for everybody who asks, and the classic kind, which replaces."""

from __future__ import annotations

import hmac

from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.platform import Platform
from simulator.wechat_oa.state import Account, JsonObject, Token, new_id


def stable(platform: Platform, body: JsonObject, caller: str) -> JsonObject:
    """``stable_token``: the token in use as long as it is good, unless a new one is forced."""
    account = _account(platform, body, caller)
    if body.get("force_refresh") is True:
        platform.count(account, "forced token", per_day=platform.settings.forced_per_day)
        return _fresh(platform, account, stable=True)
    for value, token in platform.world.tokens.items():
        if token.app_id == account.app_id and token.stable and not token.replaced and token.expires_at > platform.now:
            return _told(platform, value, token)
    return _fresh(platform, account, stable=True)


def classic(platform: Platform, query: JsonObject, caller: str) -> JsonObject:
    """``token``: a new one, which replaces the one before."""
    account = _account(platform, query, caller)
    platform.count(account, "classic token", per_day=platform.settings.classic_per_day)
    return _fresh(platform, account, stable=False)


def check(platform: Platform, value: str, caller: str) -> Account:
    """Whose token it is. Refused with 41001, 40001, 40014 or 42001."""
    if not value:
        raise Refused(41001)
    token = platform.world.tokens.get(value)
    if token is None:
        raise Refused(40001)
    if token.refused_with:
        raise Refused(token.refused_with)
    if token.expires_at <= platform.now:
        raise Refused(42001)
    account = platform.world.accounts.get(token.app_id)
    if account is None:
        raise Refused(40001)
    _check_address(account, caller)
    return account


def invalidate(platform: Platform, app_id: str, errcode: int) -> int:
    """From now on the account's tokens are refused, although ``stable_token`` goes on to tell the one in use."""
    if errcode not in (40001, 40014, 42001):
        raise ValueError("a token is refused with 40001, 40014 or 42001")
    hit = [token for token in platform.world.tokens.values() if token.app_id == app_id]
    for token in hit:
        token.refused_with = token.refused_with or errcode
    return len(hit)


def _account(platform: Platform, asked: JsonObject, caller: str) -> Account:
    app_id, secret = str(asked.get("appid") or ""), str(asked.get("secret") or "")
    if asked.get("grant_type") != "client_credential":
        raise Refused(40035, "grant_type")
    if not app_id:
        raise Refused(41002)
    if not secret:
        raise Refused(41004)
    account = platform.world.accounts.get(app_id)
    if account is None:
        raise Refused(40013)
    _check_address(account, caller)
    if not hmac.compare_digest(account.secret.encode(), secret.encode()):
        raise Refused(40125)
    return account


def _check_address(account: Account, caller: str) -> None:
    if account.allowed_addresses and caller not in account.allowed_addresses:
        raise Refused(40164, caller)


def _fresh(platform: Platform, account: Account, *, stable: bool) -> JsonObject:
    """A new token; the one before keeps working for some minutes."""
    now = platform.now
    tokens = platform.world.tokens
    for value in [value for value, token in tokens.items() if token.expires_at < now - platform.settings.token_life]:
        del tokens[value]
    for token in tokens.values():
        if token.app_id == account.app_id and token.stable is stable and not token.replaced:
            token.replaced = True
            token.expires_at = min(token.expires_at, now + platform.settings.token_overlap)
    value = new_id("88_", 120)
    tokens[value] = Token(account.app_id, now + platform.settings.token_life, stable)
    return _told(platform, value, tokens[value])


def _told(platform: Platform, value: str, token: Token) -> JsonObject:
    return {"access_token": value, "expires_in": int(token.expires_at - platform.now)}
