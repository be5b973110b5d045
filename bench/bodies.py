"""Requests as the platforms post them, ready as bytes: whoever measures must not spend its time on making them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from simulator.douyin.pushes import sign
from simulator.wecom.crypto import encrypt, key_of, signature

CORP, TOKEN = "wwbench000000001", "benchcallbacktoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CLIENT_KEY, CLIENT_SECRET = "awbench000000001", "bench-secret-0123456789abcdef0123"
SHOPS = 5
MARK = "＃"
"""Stands before the number of each message, so that it is found in what is pushed."""

DOUYIN = (
    '{"event":"im_receive_msg","client_key":"%s","from_user_id":"%s","to_user_id":"%s","content":{"conversation_short_id":'
    '"@%s","server_message_id":"@%s","conversation_type":1,"create_time":%d,"message_type":"text","source":"",'
    '"scene_type":100,"text":"%s","user_infos":[{"open_id":"%s","nick_name":"买家%d","avatar":'
    '"https://p3.example.invalid/aweme/720x720/%s.jpeg"},{"open_id":"%s","nick_name":"青禾家居旗舰店%d","avatar":'
    '"https://p3.example.invalid/aweme/720x720/shop%d.jpeg"}]},"log_id":"%032x"}'
)
RING = (
    "<xml><ToUserName><![CDATA[%s]]></ToUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[event]]></MsgType>"
    "<Event><![CDATA[kf_msg_or_event]]></Event><Token><![CDATA[%s]]></Token><OpenKfId><![CDATA[wkBench%d]]></OpenKfId></xml>"
)
SEALED = (
    "<xml><ToUserName><![CDATA[%s]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt><AgentID><![CDATA[]]></AgentID></xml>"
)


def http(path: str, body: bytes, headers: str = "", content_type: str = "application/json") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Type: {content_type}\r\n"
        f"{headers}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True)
class DouyinCustomers:
    """``people`` customers who write to :data:`SHOPS` accounts of one app."""

    path: str
    people: int

    def says(self, number: int, person: int, words: str = "在吗？这款沙发还有现货吗，多久能送到杭州") -> bytes:
        """The request for message ``number``; ``person`` counts from 0."""
        shop = person % SHOPS
        who, where = f"2f22765d-0493-1a07-8909-{person:012x}", f"0e7a4bb5-1d12-da12-4db4-{shop:012x}"
        thread, message = f"{person:086d}==", f"{number:086d}=="
        text = f"{words}{MARK}{number:08d}"
        now = int(time.time() * 1000)
        body = (
            DOUYIN % (CLIENT_KEY, who, where, thread, message, now, text, who, person, who, where, shop, shop, number)
        ).encode()
        headers = f"X-Douyin-Signature: {sign(CLIENT_SECRET, body)}\r\nMsg-Id: msg-{number:032x}\r\n"
        return http(self.path, body, headers)


def douyin_requests(path: str, start: int, count: int) -> list[bytes]:
    customers = DouyinCustomers(path, 1000)
    return [customers.says(number, number % 1000) for number in range(start, start + count)]


def wecom_requests(path: str, start: int, count: int) -> list[bytes]:
    """Callbacks that ring for new customer-service messages; each one is another event."""
    key, now = key_of(AES_KEY), int(time.time())
    made = []
    for number in range(start, start + count):
        inner = RING % (CORP, now, f"ENC{secrets.token_hex(20)}{number}", number % SHOPS)
        sealed = encrypt(key, inner.encode(), CORP)
        nonce = str(secrets.randbelow(10**10))
        signed = signature(TOKEN, str(now), nonce, sealed)
        query = f"{path}?msg_signature={signed}&timestamp={now}&nonce={nonce}"
        made.append(http(query, (SEALED % (CORP, sealed)).encode(), content_type="text/xml"))
    return made


REQUESTS = {"wecom": wecom_requests, "douyin": douyin_requests}
