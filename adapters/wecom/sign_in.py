"""Employees sign in by WeCom's QR code (wecom.md section 18.2; platform pages 98152, 98176)."""

from __future__ import annotations

from urllib.parse import urlencode

from adapters.wecom.client import WeComClient
from adapters.wecom.ids import member
from adapters.wecom.values import text
from scrm.channel import Sentence
from scrm.errors import Rejected

_LONGEST_CODE = 512
_NOT_A_MEMBER = Sentence("扫码的人不是本企业的成员。", "The person who scanned is no member of this company.")
_NO_CODE = Sentence("企业微信没有给出登录凭证，请重新扫码。", "WeCom gave no sign-in code; scan again.")


class SignIn:
    def __init__(self, client: WeComClient, *, corp_id: str, agent_id: str, login_url: str) -> None:
        self._client = client
        self._corp_id = corp_id
        self._agent_id = agent_id
        self._login_url = login_url

    @property
    def possible(self) -> bool:
        return bool(self._agent_id)

    def address(self, redirect_uri: str, state: str) -> str:
        query = {
            "login_type": "CorpApp",
            "appid": self._corp_id,
            "agentid": self._agent_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self._login_url}/wwlogin/sso/login?{urlencode(query)}"

    async def identify(self, code: str) -> str:
        """A code lives five minutes and works once; people from outside have an ``openid`` and no ``userid``."""
        if not code or len(code.encode()) > _LONGEST_CODE:
            raise Rejected("wecom.no_code", _NO_CODE)
        answer = await self._client.get("auth/getuserinfo", {"code": code})
        userid = text(answer, "userid")
        if not userid:
            raise Rejected("wecom.not_a_member", _NOT_A_MEMBER)
        return member(userid)
