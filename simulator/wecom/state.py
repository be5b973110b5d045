"""Everything the simulated platform knows. Plain data, so that it can be written to a file and read back.

Times are Unix seconds of the simulated clock. Nothing here checks anything; the rules are beside it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

JsonObject = dict[str, Any]

UNTREATED, BOT, POOL, HUMAN, ENDED = range(5)
"""The states of a KF session (chapter 16.2)."""


def new_id(prefix: str, length: int = 30) -> str:
    """A fresh identifier that looks like the platform's own."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    return prefix + "".join(alphabet[byte & 63] for byte in secrets.token_bytes(length))


@dataclass
class Callback:
    """Where and how an app receives callbacks."""

    url: str
    token: str
    aes_key: str


@dataclass
class App:
    agent_id: int
    secret: str
    name: str = ""
    callback: Callback | None = None
    kf_allowed: bool = True
    """The app is among the callable apps of 微信客服; else its KF calls get 48002 and it hears no KF events."""
    contacts_allowed: bool = True
    """The same for 客户联系."""
    trusted_ips: list[str] | None = None
    """None: every address is trusted; else others get 60020."""
    login_domain: str | None = None
    """Where people may be sent after signing in (``host:port``); None: anywhere; else others get 50001."""


@dataclass
class Token:
    corp_id: str
    agent_id: int
    expires_at: float
    refused_with: int = 0
    """40014 or 42001 when the platform has invalidated it early."""


@dataclass
class LoginCode:
    """What a scan gave to a browser. ``userid`` is empty for somebody from outside the corp."""

    corp_id: str
    agent_id: int
    userid: str
    expires_at: int
    used: bool = False


@dataclass
class Media:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    media_id: str
    kind: str
    name: str
    mime: str
    content: bytes
    created_at: int
    for_moments: bool = False
    """Uploaded by ``media/upload_attachment`` for moments."""


@dataclass
class Department:
    id: int
    name: str
    parentid: int = 1
    order: int = 0
    name_en: str = ""


@dataclass
class Member:
    userid: str
    name: str
    department: list[int] = field(default_factory=lambda: [1])
    position: str = ""
    status: int = 1
    """1 active, 2 disabled, 4 not activated, 5 left."""
    alias: str = ""
    external_position: str = ""
    serves: bool = True
    """Has the customer-contact feature (客户联系的使用范围)."""
    verified: bool = True
    """Real-name verified."""
    absent: bool = False
    """Has not signed in for a year."""
    greets_by_console: bool = False
    """A welcome is set in the admin console: events carry no code for ours."""
    customer_limit: int | None = None
    """None: the number of the settings."""
    left_at: int = 0


@dataclass
class Customer:
    external_userid: str
    nickname: str
    avatar: str = ""
    gender: int = 0
    unionid: str = ""
    type: int = 1
    corp_name: str = ""
    refuses_messages: bool = False
    """The customer has refused messages: a send is accepted and fails with type 10."""
    refuses_transfers: bool = False
    """Will refuse to be handed to another member."""
    position: str = ""
    attributes: list[JsonObject] = field(default_factory=list)
    """What a person of another company shows on their profile (``external_attr``)."""


@dataclass
class Follow:
    """A member follows a customer (客户联系)."""

    userid: str
    external_userid: str
    createtime: int
    remark: str = ""
    description: str = ""
    tag_ids: list[str] = field(default_factory=list)
    remark_mobiles: list[str] = field(default_factory=list)
    remark_corp_name: str = ""
    add_way: int = 1
    state: str = ""
    oper_userid: str = ""
    one_sided: bool = False
    """The customer has deleted the member, who still has the customer on the list: the API does not tell (chapter 3.5)."""
    chatting: bool = False
    """They have begun to talk: no welcome any more."""
    own_tags: list[str] = field(default_factory=list)
    """Names of personal tags (type 2)."""
    remark_pic_mediaid: str = ""


@dataclass
class EndedFollow:
    """A relation that is over. ``how``: ``deleted`` (by the member), ``transferred``."""

    userid: str
    external_userid: str
    at: int
    how: str
    to_userid: str = ""


@dataclass
class Half:
    """A customer added a member without verification who has not added back: no relation yet."""

    userid: str
    external_userid: str
    at: int
    state: str = ""
    greeted: bool = False


@dataclass
class WelcomeCode:
    """Allows one greeting."""

    code: str
    userid: str
    external_userid: str
    at: int
    half: bool = False
    needs_consent: bool = False
    """41053 until the customer agrees to the archive; the approval brings a code of its own."""
    used: bool = False
    rival_until: int = 0
    """Another app is sending its welcome: 41096 until then, 41051 after."""


@dataclass
class Greeting:
    """A welcome as the customer sees it."""

    userid: str
    external_userid: str
    text: str
    attachments: list[JsonObject]
    at: int
    agent_id: int


@dataclass
class ContactWay:
    config_id: str
    type: int
    scene: int
    create_time: int
    style: int = 0
    remark: str = ""
    skip_verify: bool = True
    state: str = ""
    user: list[str] = field(default_factory=list)
    party: list[int] = field(default_factory=list)
    is_temp: bool = False
    expires_in: int = 0
    chat_expires_in: int = 0
    unionid: str = ""
    is_exclusive: bool = False
    conclusions: JsonObject = field(default_factory=dict)
    qr_code: str = ""
    turn: int = 0
    """Which of several members comes next."""


WAITING, TAKEN, DECLINED, TAKER_FULL = 2, 1, 3, 4
"""``status`` of a transfer (chapter 8)."""


@dataclass
class Transfer:
    handover: str
    takeover: str
    external_userid: str
    at: int
    takes_at: int
    resigned: bool
    status: int = WAITING
    message: str = ""


@dataclass
class GroupTransfer:
    chat_id: str
    from_userid: str
    to_userid: str
    at: int


@dataclass
class MassTask:
    """``receivers``: external_userids or chat_ids; ``results`` by receiver: 1 sent, 2 no friend, 3 limit reached."""

    msgid: str
    sender: str
    groups: bool
    receivers: list[str]
    text: str
    attachments: list[JsonObject]
    created: int
    confirmed: int = 0
    cancelled: int = 0
    reminders: int = 0
    results: dict[str, int] = field(default_factory=dict)


@dataclass
class MomentReaction:
    """``who``: an external_userid or, of colleagues, a userid."""

    who: str
    at: int
    text: str = ""
    """Of a comment; the API never tells it."""


@dataclass
class MomentOfMember:
    """``chosen``: customers for whom it was meant; ``shown``: those who can see it."""

    userid: str
    published: int = 0
    chosen: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    comments: list[MomentReaction] = field(default_factory=list)
    likes: list[MomentReaction] = field(default_factory=list)


@dataclass
class Moment:
    """``members`` by lower-case userid. ``creator`` of a personal one. ``ready``: when it was made, and in the lists."""

    moment_id: str
    text: str
    attachments: list[JsonObject]
    created: int
    ready: int
    tags: list[str] = field(default_factory=list)
    creator: str = ""
    cancelled: int = 0
    members: dict[str, MomentOfMember] = field(default_factory=dict)


@dataclass
class MomentJob:
    """``errcode`` not 0: nothing is made."""

    jobid: str
    created: int
    ready: int
    moment_id: str = ""
    errcode: int = 0
    invalid_users: list[str] = field(default_factory=list)
    invalid_departments: list[int] = field(default_factory=list)
    invalid_tags: list[str] = field(default_factory=list)


@dataclass
class Tag:
    id: str
    name: str
    create_time: int
    order: int = 0
    agent_id: int = 0
    """The app that made it; 0: people."""


@dataclass
class TagGroup:
    group_id: str
    group_name: str
    create_time: int
    order: int = 0
    tags: list[Tag] = field(default_factory=list)
    agent_id: int = 0


@dataclass
class GroupMember:
    userid: str
    type: int
    join_time: int
    join_scene: int = 1
    name: str = ""
    group_nickname: str = ""
    unionid: str = ""
    invitor: str = ""
    state: str = ""


@dataclass
class GroupChat:
    chat_id: str
    name: str
    owner: str
    create_time: int
    notice: str = ""
    status: int = 0
    members: list[GroupMember] = field(default_factory=list)
    admins: list[str] = field(default_factory=list)
    member_version: str = field(default_factory=lambda: secrets.token_hex(16))
    dissolved: bool = False
    changed_at: float = 0.0
    before: JsonObject | None = None
    """How it was told before the last change: shown for ``group_lag`` seconds more."""


@dataclass
class Received:
    """A message as a customer (or, for app messages, a member) sees it."""

    msgid: str
    msgtype: str
    body: JsonObject
    at: int
    via: str
    """``api``, ``event`` (welcome and closing words), ``servicer`` (typed in the client)."""
    servicer_userid: str = ""
    recalled: bool = False


@dataclass
class Session:
    """One customer at one KF account."""

    state: int = ENDED
    servicer_userid: str = ""
    last_customer_at: int = 0
    replies_left: int = 0
    entered_at: int = 0
    welcomed_at: int = 0
    scene: str = ""
    scene_param: str = ""
    wechat_channels: JsonObject | None = None
    reply_code_given: bool = False
    """The code of the first change to the pool or to a person has been handed out in this session."""
    rejects_customer: bool = False
    """A servicer has switched this customer's messages off (拒收)."""
    received: list[Received] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    """``fail_type`` of the next accepted sends that will not be delivered."""


@dataclass
class Servicer:
    stopped: bool = False
    stop_type: int = 0


@dataclass
class EventCode:
    """Allows one ``kf/send_msg_on_event``."""

    open_kfid: str
    external_userid: str
    expires_at: float
    types: list[str]
    situation: str


@dataclass
class KfAccount:
    open_kfid: str
    name: str
    avatar: str = ""
    granted: bool = True
    """The app may manage it by API; else 48007."""
    servicers: dict[str, Servicer] = field(default_factory=dict)
    departments: list[int] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    items: list[str] = field(default_factory=list)
    """What ``sync_msg`` returns, as JSON, oldest first; the first has the number ``first``."""
    item_times: list[int] = field(default_factory=list)
    first: int = 0
    authors: dict[str, str] = field(default_factory=dict)
    """Message id of each item that a person wrote -> the customer."""
    sent: dict[str, str] = field(default_factory=dict)
    """Message id of each message that we sent -> the customer."""
    empty_pages: int = 0
    """So many next pages are empty although there is more (the trap of chapter 16.3)."""
    page_cap: int = 1000


@dataclass
class AppMessage:
    msgid: str
    agent_id: int
    msgtype: str
    body: JsonObject
    at: int
    receivers: list[str]
    recalled: bool = False


@dataclass
class ArchiveRecord:
    """One sealed record of the chat archive."""

    seq: int
    msgid: str
    version: int
    sealed_key: str
    sealed_message: str
    at: int


@dataclass
class ArchiveConsent:
    """``Agree``, ``Disagree`` or ``Default_Agree``."""

    status: str
    at: int


@dataclass
class ArchiveFile:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    file_id: str
    content: bytes
    md5: str
    created_at: int


@dataclass
class InterceptRule:
    """``kind`` 1: warn and block, 2: warn only."""

    rule_id: str
    name: str
    words: list[str]
    kind: int
    users: list[str]
    departments: list[int]
    semantics: list[int]
    agent_id: int
    made_at: int


@dataclass
class BillRecord:
    """Money that a customer paid to a member, or, with a ``refund_no``, that went back."""

    number: int
    transaction_id: str
    trade_no: str
    at: int
    payee: str
    payer: str
    amount: int
    payment_type: int = 0
    goods: str = ""
    remark: str = ""
    refund_no: str = ""


@dataclass
class Corp:
    corp_id: str
    name: str = ""
    apps: dict[int, App] = field(default_factory=dict)
    departments: dict[int, Department] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    """By lower-case userid: userids are case-insensitive."""
    customers: dict[str, Customer] = field(default_factory=dict)
    follows: dict[str, dict[str, Follow]] = field(default_factory=dict)
    """external_userid -> userid -> relation."""
    former: dict[str, Member] = field(default_factory=dict)
    """Members who left, by lower-case userid; their customers wait for somebody else."""
    halves: list[Half] = field(default_factory=list)
    ended: list[EndedFollow] = field(default_factory=list)
    welcome_codes: dict[str, WelcomeCode] = field(default_factory=dict)
    greetings: list[Greeting] = field(default_factory=list)
    contact_ways: dict[str, ContactWay] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    group_transfers: list[GroupTransfer] = field(default_factory=list)
    mass_tasks: dict[str, MassTask] = field(default_factory=dict)
    mass_received: dict[str, list[int]] = field(default_factory=dict)
    """Receiver -> when mass messages came."""
    moments: dict[str, Moment] = field(default_factory=dict)
    moment_jobs: dict[str, MomentJob] = field(default_factory=dict)
    moments_made: dict[str, int] = field(default_factory=dict)
    """Month -> number of moments by the company."""
    moments_seen: dict[str, list[int]] = field(default_factory=dict)
    """Customer -> when moments by the company were shown."""
    moments_enabled: bool = True
    tag_groups: dict[str, TagGroup] = field(default_factory=dict)
    groups: dict[str, GroupChat] = field(default_factory=dict)
    kf: dict[str, KfAccount] = field(default_factory=dict)
    codes: dict[str, EventCode] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    app_messages: dict[str, AppMessage] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    """Signs the sync tokens."""
    intercepts: dict[str, InterceptRule] = field(default_factory=dict)
    archive_secret: str = ""
    """Empty: the company has no chat archive."""
    archive_members: list[str] = field(default_factory=list)
    archive_keys: list[str] = field(default_factory=list)
    """Public keys; the first is version 1."""
    archive: list[ArchiveRecord] = field(default_factory=list)
    archive_seq: int = 0
    archive_files: dict[str, ArchiveFile] = field(default_factory=dict)
    archive_consents: dict[str, ArchiveConsent] = field(default_factory=dict)
    """By member or group and customer, ``userid/external_userid``; who is not here agreed by default."""
    collects: bool = False
    """The app may read what is collected (对外收款); else 48002."""
    bills: list[BillRecord] = field(default_factory=list)
    bills_hidden: list[str] = field(default_factory=list)
    """Lower-case userids outside of the app's scope."""
    images_uploaded: dict[str, int] = field(default_factory=dict)
    """Day -> number of ``media/uploadimg`` calls."""


@dataclass
class World:
    corps: dict[str, Corp] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    pictures: dict[str, Media] = field(default_factory=dict)
    """Permanent pictures of ``media/uploadimg`` by their name in the address."""
    clock_offset: float = 0.0
    login_codes: dict[str, LoginCode] = field(default_factory=dict)


_WORLD = TypeAdapter(World)


def to_json(world: World) -> bytes:
    return _WORLD.dump_json(world)


def from_json(content: bytes) -> World:
    """Raises ``ValueError`` for what :func:`to_json` has not written."""
    return _WORLD.validate_json(content)
