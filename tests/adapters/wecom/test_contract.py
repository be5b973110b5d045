"""The conformance kit, on customer service against the simulated WeCom."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from scrm.channel import (
    AccountRef,
    Adapter,
    ContactEntered,
    ContactRef,
    Kind,
    MessageRecalled,
    MessageReceived,
    Occurrence,
    PullRequested,
    RemoteMedia,
    SenderKind,
    Unrecognised,
    WindowGrant,
)
from scrm.testing import ChannelContract, Golden
from tests.adapters.wecom.company import WeComCompany
from tests.adapters.wecom.harness import WeComHarness, running_harness
from tests.adapters.wecom.team import WeComTeam

STREAM = "kf:wkHotel0001"
ACCOUNT = AccountRef("wecom_kf", "wkHotel0001")
GUEST = ContactRef("wmGuest0001")
AT = datetime(2026, 3, 1, 7, 43, 20, tzinfo=UTC)
WHO = '"open_kfid":"wkHotel0001","external_userid":"wmGuest0001"'

GOLDEN = [
    Golden(
        "a ring",
        b"<xml><ToUserName>ww1</ToUserName><CreateTime>1772351000</CreateTime><MsgType>event</MsgType>"
        b"<Event>kf_msg_or_event</Event><Token><![CDATA[ENC1]]></Token><OpenKfId>wkHotel0001</OpenKfId></xml>",
        [PullRequested(STREAM, "ENC1")],
    ),
    Golden(
        "a customer deleted a member",
        b"<xml><CreateTime>1772351000</CreateTime><MsgType>event</MsgType><Event>change_external_contact</Event>"
        b"<ChangeType>del_follow_user</ChangeType><UserID>HanMeimei</UserID>"
        b"<ExternalUserID>wmGuest0001</ExternalUserID></xml>",
        [
            Occurrence(
                "contact.deleted_by_customer",
                AT,
                AccountRef("wecom_member", "hanmeimei"),
                GUEST,
                {"ChangeType": "del_follow_user", "UserID": "HanMeimei", "ExternalUserID": "wmGuest0001"},
            )
        ],
    ),
    Golden(
        "a picture",
        f'{{"msgid":"m1",{WHO},"send_time":1772351000,"origin":3,"msgtype":"image","image":{{"media_id":"M"}}}}'.encode(),
        [
            MessageReceived(
                ACCOUNT,
                GUEST,
                "m1",
                "in",
                Kind.IMAGE,
                "[图片]",
                AT,
                media=(RemoteMedia(Kind.IMAGE, {"media_id": "M"}, expires_at=AT + timedelta(days=3)),),
                sender=SenderKind.CUSTOMER,
                sender_id="wmGuest0001",
                window=WindowGrant("reply", AT + timedelta(hours=48), 5),
            )
        ],
        STREAM,
    ),
    Golden(
        "a customer enters",
        f'{{"msgid":"m2","send_time":1772351000,"origin":4,"msgtype":"event","event":{{"event_type":"enter_session",'
        f'{WHO},"scene":"lobby","welcome_code":"W"}}}}'.encode(),
        [ContactEntered(ACCOUNT, GUEST, AT, scene="lobby", welcome_code="W", welcome_until=AT + timedelta(seconds=20))],
        STREAM,
    ),
    Golden(
        "a recall",
        f'{{"msgid":"m3","send_time":1772351000,"origin":4,"msgtype":"event","event":{{"event_type":"user_recall_msg",'
        f'{WHO},"recall_msgid":"m1"}}}}'.encode(),
        [MessageRecalled(ACCOUNT, GUEST, "m1", "customer", AT)],
        STREAM,
    ),
    Golden("nothing we know", b"<xml><Event>change_the_world</Event></xml>", [Unrecognised("event change_the_world")]),
]


class TestWeComCustomerService(ChannelContract):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[WeComHarness]:
        async with running_harness() as harness:
            yield harness

    @pytest.fixture
    async def adapter(self, harness: WeComHarness) -> Adapter:
        return harness.connect()

    @pytest.fixture
    async def unreachable(self, harness: WeComHarness) -> Adapter:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        return harness.connect(f"http://127.0.0.1:{port}")

    @pytest.fixture
    def company(self, harness: WeComHarness) -> WeComCompany:
        return WeComCompany(harness)

    @pytest.fixture
    def team(self, harness: WeComHarness) -> WeComTeam:
        return WeComTeam(harness)

    @pytest.fixture
    def golden(self) -> Sequence[Golden]:
        return GOLDEN
