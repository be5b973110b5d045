"""WeChat Official Accounts as a provider: the form that an administrator fills in, and the adapter that is built from it."""

from __future__ import annotations

from yarl import URL

from adapters.wechat_oa.adapter import OfficialAccountAdapter
from adapters.wechat_oa.broadcasts import LIMITS, POSTS_PER_DAY
from adapters.wechat_oa.client import ANSWER_WITHIN, Client
from adapters.wechat_oa.ids import DEFAULT_BASE_URL
from adapters.wechat_oa.verify import PushVerifier
from scrm.channel import Adapter, AdapterContext, ConnectionConfig, Provider, Sentence, SettingField
from scrm.errors import Unprocessable

FIELDS = (
    SettingField(
        "app_id",
        Sentence("AppID", "AppID"),
        Sentence(
            "公众平台“设置与开发 → 开发接口管理 → 基本配置”里，以 wx 开头。",
            "In the console of the public platform under basic configuration; begins with wx.",
        ),
    ),
    SettingField(
        "app_secret",
        Sentence("AppSecret", "AppSecret"),
        Sentence(
            "与 AppID 在同一页。本系统的出口 IP 要加进那里的 IP 白名单。",
            "On the same page. The address from which this service calls must be on the IP allow-list there.",
        ),
        secret=True,
    ),
    SettingField(
        "original_id",
        Sentence("原始 ID", "Original id"),
        Sentence(
            "公众平台“设置与开发 → 账号设置 → 注册信息”里，以 gh_ 开头。",
            "In the console under account settings, registration; begins with gh_.",
        ),
    ),
    SettingField(
        "account_type",
        Sentence("账号类型", "Kind of account"),
        Sentence(
            "决定群发的次数：服务号每位关注者每月最多 4 次，订阅号（现称“公众号”）每天 1 次。",
            "Decides how many mass messages there may be: 4 a month and follower, or 1 a day.",
        ),
        default="service",
        choices=(
            ("service", Sentence("服务号", "Service account")),
            ("subscription", Sentence("订阅号（公众号）", "Subscription account")),
        ),
    ),
    SettingField(
        "token",
        Sentence("消息推送 Token", "Push Token"),
        Sentence("基本配置“服务器配置”中的令牌（Token）。", "The Token of the server configuration."),
        secret=True,
    ),
    SettingField(
        "encoding_aes_key",
        Sentence("EncodingAESKey", "EncodingAESKey"),
        Sentence(
            "同一处的消息加解密密钥，43 位；消息加解密方式请选“安全模式”。留空表示明文模式：明文推送的签名不覆盖正文，不建议使用。",
            "In the same place, 43 letters and digits; choose safe mode there. Empty means plain mode, whose signature does not cover "
            "what is said: better avoid it.",
        ),
        secret=True,
        required=False,
    ),
    SettingField(
        "base_url",
        Sentence("接口地址", "API address"),
        Sentence("一般不改；可指向代理或模拟器。", "Usually left alone; may point at a proxy or the simulator."),
        required=False,
        default=DEFAULT_BASE_URL,
    ),
)


def build(config: ConnectionConfig, context: AdapterContext, *, answer_within: float = ANSWER_WITHIN) -> Adapter:
    """Raises :class:`~scrm.errors.Unprocessable`, with the field, for settings that cannot work."""
    app_id = _required(config.settings.get("app_id"), "app_id")
    original_id = _required(config.settings.get("original_id"), "original_id")
    client = Client(
        app_id=app_id,
        secret=_required(config.secrets.get("app_secret"), "app_secret"),
        base_url=_base_url(config.settings.get("base_url") or DEFAULT_BASE_URL),
        context=context,
        answer_within=answer_within,
    )
    verifier = PushVerifier(
        token=_required(config.secrets.get("token"), "token"),
        encoding_aes_key=(config.secrets.get("encoding_aes_key") or "").strip(),
        app_id=app_id,
        original_id=original_id,
    )
    kind = (config.settings.get("account_type") or "service").strip().lower()
    if kind not in LIMITS:
        problem = f"must be one of {', '.join(LIMITS)}"
        raise Unprocessable(f"account_type {problem}.", fields={"account_type": problem})
    return OfficialAccountAdapter(
        verifier, client, context, original_id=original_id, limits=LIMITS[kind], per_day=POSTS_PER_DAY[kind]
    )


def _required(value: str | None, name: str) -> str:
    if value is None or not value.strip():
        raise Unprocessable(f"{name} is missing.", fields={name: "must be filled in"})
    return value.strip()


def _base_url(value: str) -> str:
    problem = f"must be an address such as {DEFAULT_BASE_URL}"
    try:
        url = URL(value.strip())
    except ValueError as error:
        raise Unprocessable(f"base_url {problem}.", fields={"base_url": problem}) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Unprocessable(f"base_url {problem}.", fields={"base_url": problem})
    return str(url).rstrip("/")


PROVIDER = Provider(
    name="wechat_oa",
    title=Sentence("微信公众号", "WeChat Official Account"),
    fields=FIELDS,
    build=build,
)
