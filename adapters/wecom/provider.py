"""WeCom as a provider: the form that an administrator fills in, and the adapter that is built from it."""

from __future__ import annotations

from yarl import URL

from adapters.wecom.adapter import WeComAdapter
from adapters.wecom.client import ANSWER_WITHIN, WeComClient
from adapters.wecom.finance_process import Access
from adapters.wecom.sign_in import SignIn
from adapters.wecom.verify import CallbackVerifier
from scrm.channel import Adapter, AdapterContext, ConnectionConfig, Provider, Sentence, SettingField
from scrm.errors import Unprocessable

PUBLIC_BASE_URL = "https://qyapi.weixin.qq.com"
PUBLIC_LOGIN_URL = "https://login.work.weixin.qq.com"

FIELDS = (
    SettingField(
        "corp_id",
        Sentence("企业 ID", "CorpID"),
        Sentence(
            "管理后台“我的企业 → 企业信息”最下方，以 ww 开头。",
            "In the console under My Company, at the end; begins with ww.",
        ),
    ),
    SettingField(
        "secret",
        Sentence("应用 Secret", "App secret"),
        Sentence(
            "自建应用的 Secret。该应用要在“微信客服 → API → 可调用接口的应用”中；要同步客户、标签和客户群，还要在"
            "“客户联系 → 客户 → API → 可调用应用”中，并把相关员工放进应用的可见范围。",
            "The secret of your own app, which must be among the callable apps of WeChat Customer Service and, to keep customers, "
            "tags and customer groups in step, of Customer Contact too, with the employees concerned in the app's range.",
        ),
        secret=True,
    ),
    SettingField(
        "token",
        Sentence("回调 Token", "Callback token"),
        Sentence("应用“接收消息 → API 接收”中设置的 Token。", "The Token of the app's API receive settings."),
        secret=True,
    ),
    SettingField(
        "encoding_aes_key",
        Sentence("回调 EncodingAESKey", "Callback EncodingAESKey"),
        Sentence("与 Token 在同一页，共 43 位。", "On the same page as the Token; 43 letters and digits."),
        secret=True,
    ),
    SettingField(
        "agent_id",
        Sentence("应用 AgentId", "App AgentId"),
        Sentence(
            "员工扫码登录、给员工发通知卡片时需要，微信客服和客户联系不需要。管理后台应用详情页的第一行。",
            "Needed for employees' QR sign-in and for notices to employees; customer service and customer contact do without. "
            "The first line of the app's page in the console.",
        ),
        required=False,
    ),
    SettingField(
        "archive_secret",
        Sentence("会话内容存档 Secret", "Chat archive secret"),
        Sentence(
            "购买了会话内容存档时填写：管理后台“管理工具 → 会话内容存档”。私钥在“会话存档”页另行添加。",
            "When the company has the chat archive: in the console under Chat Archive. Private keys are added on the page of the archive.",
        ),
        secret=True,
        required=False,
    ),
    SettingField(
        "base_url",
        Sentence("接口地址", "API address"),
        Sentence("一般不改；可指向代理或模拟器。", "Usually left alone; may point at a proxy or the simulator."),
        required=False,
        default=PUBLIC_BASE_URL,
    ),
    SettingField(
        "login_url",
        Sentence("扫码登录地址", "QR sign-in address"),
        Sentence(
            "一般不改。应用的“企业微信授权登录”里要填写本系统的域名。",
            "Usually left alone. The app's authorised sign-in must name the domain of this service.",
        ),
        required=False,
        default=PUBLIC_LOGIN_URL,
    ),
)


def build(config: ConnectionConfig, context: AdapterContext, *, answer_within: float = ANSWER_WITHIN) -> Adapter:
    """Raises :class:`~scrm.errors.Unprocessable`, with the field, for settings that cannot work."""
    corp_id = _required(config.settings.get("corp_id"), "corp_id")
    base_url = _base_url(config.settings.get("base_url") or PUBLIC_BASE_URL)

    def client_of(secret: str) -> WeComClient:
        return WeComClient(
            corp_id=corp_id, secret=secret, base_url=base_url, context=context, answer_within=answer_within
        )

    client = client_of(_required(config.secrets.get("secret"), "secret"))
    verifier = CallbackVerifier(
        token=_required(config.secrets.get("token"), "token"),
        encoding_aes_key=_required(config.secrets.get("encoding_aes_key"), "encoding_aes_key"),
        receive_id=corp_id,
    )
    agent_id = (config.settings.get("agent_id") or "").strip()
    sign_in = SignIn(
        client,
        corp_id=corp_id,
        agent_id=agent_id,
        login_url=_base_url(config.settings.get("login_url") or PUBLIC_LOGIN_URL, "login_url"),
    )
    archive_secret = (config.secrets.get("archive_secret") or "").strip()
    archive = Access(
        library=context.archive.library,
        corp_id=corp_id,
        secret=archive_secret,
        base_url=base_url,
        proxy=context.archive.proxy,
        proxy_password=context.archive.proxy_password,
    )
    consent = client_of(archive_secret) if archive_secret else None
    return WeComAdapter(verifier, client, context, sign_in, archive, consent, corp_id=corp_id, agent_id=agent_id)


def _required(value: str | None, name: str) -> str:
    if value is None or not value.strip():
        raise Unprocessable(f"{name} is missing.", fields={name: "must be filled in"})
    return value.strip()


def _base_url(value: str, name: str = "base_url") -> str:
    problem = "must be an address such as https://qyapi.weixin.qq.com"
    try:
        url = URL(value.strip())
    except ValueError as error:
        raise Unprocessable(f"{name} {problem}.", fields={name: problem}) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Unprocessable(f"{name} {problem}.", fields={name: problem})
    return str(url).rstrip("/")


PROVIDER = Provider(
    name="wecom",
    title=Sentence("企业微信", "WeCom"),
    fields=FIELDS,
    build=build,
)
