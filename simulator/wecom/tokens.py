"""Access tokens (chapter 3.1): one per app, the same inside its life, invalidated early when told to."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Mapping

from simulator.wecom.errors import Refused
from simulator.wecom.settings import HOUR, Settings
from simulator.wecom.state import App, Corp, JsonObject, Token, World, new_id

ARCHIVE = -1
"""The chat archive has a secret as an app has, and is none: its token opens its own calls only."""


def archive_app(corp: Corp) -> App:
    return App(ARCHIVE, corp.archive_secret, "会话内容存档", kf_allowed=False, contacts_allowed=False)


class Tokens:
    def __init__(self, world: World, settings: Settings) -> None:
        self._world = world
        self._settings = settings
        self._wrong: dict[str, list[float]] = defaultdict(list)

    def issue(self, query: Mapping[str, str], caller: str, now: float) -> JsonObject:
        """Answers ``gettoken``. ``expires_in`` is what is left of the token's life."""
        corp_id, secret = query.get("corpid", ""), query.get("corpsecret", "")
        if not corp_id:
            raise Refused(41002)
        if not secret:
            raise Refused(41004)
        wrong = self._wrong[caller] = [at for at in self._wrong[caller] if at > now - HOUR]
        if len(wrong) >= self._settings.wrong_secrets_per_hour:
            raise Refused(45009, "too many wrong secrets")
        corp = self._world.corps.get(corp_id)
        if corp is None:
            raise Refused(40013)
        app = next(
            (app for app in corp.apps.values() if hmac.compare_digest(app.secret.encode(), secret.encode())), None
        )
        if app is None and corp.archive_secret and hmac.compare_digest(corp.archive_secret.encode(), secret.encode()):
            app = archive_app(corp)
        if app is None:
            wrong.append(now)
            raise Refused(40001)
        value, token = self._current(corp, app, now) or self._fresh(corp, app, now)
        return {"access_token": value, "expires_in": int(token.expires_at - now)}

    def check(self, value: str, now: float) -> tuple[Corp, App]:
        """Who is calling. Refused with 41001, 40014 or 42001."""
        if not value:
            raise Refused(41001)
        token = self._world.tokens.get(value)
        if token is None:
            raise Refused(40014)
        if token.refused_with:
            raise Refused(token.refused_with)
        if token.expires_at <= now:
            raise Refused(42001)
        corp = self._world.corps[token.corp_id]
        app = archive_app(corp) if token.agent_id == ARCHIVE else corp.apps.get(token.agent_id)
        if app is None:
            raise Refused(40014)
        return corp, app

    def invalidate(self, corp_id: str, agent_id: int, errcode: int) -> int:
        """From now on the app's current tokens are refused with ``errcode`` (40014 or 42001). Returns how many."""
        if errcode not in (40014, 42001):
            raise ValueError("a token is refused with 40014 or 42001")
        hit = [t for t in self._world.tokens.values() if (t.corp_id, t.agent_id) == (corp_id, agent_id)]
        for token in hit:
            token.refused_with = token.refused_with or errcode
        return len(hit)

    def _current(self, corp: Corp, app: App, now: float) -> tuple[str, Token] | None:
        mine = (corp.corp_id, app.agent_id)
        for value, token in self._world.tokens.items():
            if (token.corp_id, token.agent_id) == mine and not token.refused_with and token.expires_at > now:
                return value, token
        return None

    def _fresh(self, corp: Corp, app: App, now: float) -> tuple[str, Token]:
        for value in [v for v, t in self._world.tokens.items() if t.expires_at < now - HOUR]:
            del self._world.tokens[value]
        value = new_id("", 100)
        token = Token(corp.corp_id, app.agent_id, now + self._settings.token_life)
        self._world.tokens[value] = token
        return value, token
