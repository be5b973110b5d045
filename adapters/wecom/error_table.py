"""What each error code means to the person who reads it, and what to do about it (wecom.md section 3.5; pages 90313, 10649).

Codes of calls that this adapter makes. ``errmsg`` is never used: it is free text with our address in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.wecom.contact_errors import CONTACT_MEANINGS
from adapters.wecom.meaning import Meaning
from adapters.wecom.meaning import admin as _admin
from adapters.wecom.meaning import later as _later
from adapters.wecom.meaning import rep as _rep

_CODE = ("这次扫码已经失效，请重新扫码。", "This scan is used or too old; scan again.")
_INTERNAL = (
    "企业微信认为请求的格式有误，这是软件的问题。请把错误代码告诉管理员。",
    "WeCom finds the request malformed, which is a fault of the software. Tell an administrator the error code.",
)
_MEDIA_GONE = (
    "文件在企业微信上已过期或不存在。请重新上传后再发。",
    "WeCom no longer has the file. Upload it again, then send.",
)
_SPAM = (
    "消息内容被企业微信的安全策略拦截。请修改内容后再发。",
    "WeCom's safety rules stopped the content. Change it, then send again.",
)
_SECRET = (
    "企业微信不接受本连接的密钥。请管理员核对企业 ID 和应用 Secret，并确认应用没有停用。",
    "WeCom does not accept the credentials of this connection. An administrator must check the CorpID and the app's "
    "Secret, and that the app is not disabled.",
)
_RIGHT = (
    "应用没有调用这个接口的权限。请管理员在企业微信管理后台把本应用加入“微信客服”和“客户联系”的“API → 可调用接口的应用”。",
    "The app may not use this interface. An administrator must add it to the callable apps (API) of WeChat Customer Service "
    "and of Customer Contact in the WeCom console.",
)
_ACCOUNT_GONE = (
    "这个微信客服账号不存在或已被删除。请管理员在企业微信管理后台核对。",
    "This customer service account does not exist or was deleted. An administrator must check it in the WeCom console.",
)
_NOT_A_CUSTOMER = (
    "企业微信不认识这位客户，或客户不在应用的可见范围内。请确认客户仍是本企业的联系人。",
    "WeCom does not know this customer, or they are outside the app's range. Check that they are still a contact.",
)
_SERVICER = (
    "这位同事已不在企业、还没有激活，或不是该客服账号的接待人员。请管理员在企业微信管理后台核对。",
    "This colleague has left, is not activated, or does not serve the customer service account. An administrator must check it.",
)
_SCOPE = (
    "成员或部门不在应用的可见范围内。请管理员在企业微信管理后台调整应用的可见范围。",
    "A member or department is outside the app's range. An administrator must widen it in the WeCom console.",
)
_WELCOME_LATE = (
    "欢迎语已过期或已使用：欢迎语必须在客户添加或进入会话后 20 秒内发送，且只能发一次。请等客户发来消息后再回复。",
    "The welcome is too late or already used: it must be sent once, within 20 seconds of the customer adding or entering. "
    "Answer when the customer writes.",
)
_TEXT_EMPTY = ("消息内容为空。请输入内容后再发。", "The message is empty. Write something, then send.")
_FILE_SIZE = (
    "文件大小超出企业微信的限制（图片和视频 10 MB，语音 2 MB，文件 20 MB）。请压缩后再发。",
    "The file is too large for WeCom (pictures and videos 10 MB, voice 2 MB, files 20 MB). Make it smaller.",
)
_FILE_TYPE = (
    "企业微信不支持这种文件格式（图片为 JPG、PNG，语音为 AMR，视频为 MP4）。请转换格式，或作为文件发送。",
    "WeCom does not take this format (pictures JPG or PNG, voice AMR, video MP4). Convert it or send it as a file.",
)
_TOKEN = (
    "企业微信的访问凭证失效，正在更新，稍后自动重试。",
    "The WeCom access token became invalid and is being renewed.",
)

MEANINGS: Mapping[int, Meaning] = {
    **CONTACT_MEANINGS,
    -1: _later(5, "企业微信系统繁忙，稍后自动重试。", "WeCom is busy; this is tried again automatically."),
    40001: _admin(*_SECRET),
    40003: _rep(*_SERVICER),
    40004: _rep(*_FILE_TYPE),
    40005: _rep(*_FILE_TYPE),
    40006: _rep("文件太小或为空。请换一个文件。", "The file is empty or nearly so. Choose another one."),
    40007: _rep(*_MEDIA_GONE),
    40008: _rep(
        "微信客服不支持这种消息。请换一种方式。", "Customer service cannot send this type of message. Choose another."
    ),
    40009: _rep(*_FILE_SIZE),
    40013: _admin(*_SECRET),
    40014: _later(2, *_TOKEN),
    40029: _rep(*_CODE),
    40056: _admin(
        "应用的 AgentId 不正确。请管理员核对。", "The app's AgentId is wrong. An administrator must check it."
    ),
    40058: _rep(*_INTERNAL),
    40063: _rep(*_INTERNAL),
    40096: _rep(*_NOT_A_CUSTOMER),
    40145: _rep(*_MEDIA_GONE),
    40201: _rep(*_SPAM),
    40204: _rep(*_SPAM),
    40205: _rep(
        "成员超过一年没有登录企业微信，平台拒绝操作。请让该成员登录企业微信后再试。",
        "The member has not signed in to WeCom for over a year. Have them sign in, then try again.",
    ),
    41001: _later(2, *_TOKEN),
    41002: _admin(*_SECRET),
    41004: _admin(*_SECRET),
    41005: _rep(*_INTERNAL),
    41006: _rep(*_MEDIA_GONE),
    41008: _rep(*_CODE),
    41035: _rep(*_INTERNAL),
    41049: _rep(*_INTERNAL),
    41050: _rep(*_WELCOME_LATE),
    41051: _rep(
        "客户已经开始聊天，或已收到欢迎语，不再需要欢迎语。请直接回复客户。",
        "The customer is already chatting or has been welcomed. Simply answer them.",
    ),
    41053: _rep(
        "客户还没有同意会话存档，暂时不能发送欢迎语。",
        "The customer has not agreed to the chat archive yet, so no welcome can be sent.",
    ),
    41054: _rep(*_SERVICER),
    41096: _later(
        1, "另一个应用正在发送欢迎语，稍后自动重试。", "Another app is sending the welcome; trying again shortly."
    ),
    42001: _later(2, *_TOKEN),
    42003: _rep(*_CODE),
    42022: _rep(*_CODE),
    43001: _rep(*_INTERNAL),
    43002: _rep(*_INTERNAL),
    43009: _admin(
        "企业还没有完成认证，这项功能不可用。请管理员在企业微信管理后台完成认证。",
        "The company is not verified, so this is not available. An administrator must verify it in the WeCom console.",
    ),
    44001: _rep("文件是空的。请换一个文件。", "The file is empty. Choose another one."),
    44004: _rep(*_TEXT_EMPTY),
    45001: _rep(*_FILE_SIZE),
    45002: _rep(
        "消息太长：微信客服的一条文字最多 2048 字节（约 680 个汉字）。请分成几条发送。",
        "The message is too long: a text has at most 2048 bytes (about 680 Chinese characters). Split it.",
    ),
    45009: _later(
        60,
        "调用企业微信过于频繁，平台暂停了本应用，约一分钟后自动重试。",
        "WeCom was called too often and pauses this app; trying again in about a minute.",
    ),
    45033: _later(
        5, "企业微信的并发调用超限，稍后自动重试。", "Too many calls to WeCom at once; trying again shortly."
    ),
    45035: _later(
        3, "企业微信正在处理同一数据的另一个修改，稍后自动重试。", "WeCom is busy with another change of the same data."
    ),
    45036: _admin(
        "访问的客户数据超出企业微信的上限。请管理员在企业微信管理后台查看用量。",
        "More customer data was read than WeCom allows. An administrator must look at the usage in the WeCom console.",
    ),
    47001: _rep(*_INTERNAL),
    48001: _admin(*_RIGHT),
    48002: _admin(*_RIGHT),
    48005: _admin(
        "企业微信已停用这个接口，软件需要更新。请联系管理员。",
        "WeCom has retired this interface; the software must be updated. Tell an administrator.",
    ),
    48006: _admin(
        "应用长期未调用，接口权限已被企业微信收回。请管理员在企业微信管理后台重新开通。",
        "WeCom withdrew the right because it was not used. An administrator must grant it again in the WeCom console.",
    ),
    48007: _admin(
        "这个微信客服账号没有授权本应用管理。请管理员在企业微信管理后台“微信客服 → API → 通过API管理微信客服账号”中授权。",
        "This customer service account is not granted to the app. An administrator must grant it in the WeCom console: "
        "WeChat Customer Service, API, accounts managed through the API.",
    ),
    48011: _admin(
        "成员的活跃度太低，企业微信不提供客户数据。请让成员多使用企业微信，或联系管理员。",
        "The member uses WeCom too little for WeCom to give out customer data. Tell an administrator.",
    ),
    50001: _admin(
        "跳转域名没有加入应用的可信域名。请管理员在企业微信管理后台添加。",
        "The domain is not trusted by the app. An administrator must add it in the WeCom console.",
    ),
    50002: _admin(*_SCOPE),
    50003: _admin(
        "应用已在企业微信管理后台停用。请管理员启用。",
        "The app is disabled in the WeCom console. An administrator must enable it.",
    ),
    50100: _rep("读取位置已失效，请重新读取。", "The position in the list is no longer valid; read it again."),
    60011: _admin(*_SCOPE),
    60020: _admin(
        "本服务器的 IP 不在应用的“企业可信IP”中。请管理员在企业微信管理后台添加。",
        "This server's IP is not among the app's trusted IPs. An administrator must add it in the WeCom console.",
    ),
    60021: _admin(*_SCOPE),
    60030: _admin(*_SCOPE),
    60111: _rep(*_SERVICER),
    60251: _rep(*_INTERNAL),
    60252: _rep(*_ACCOUNT_GONE),
    60253: _rep(*_SERVICER),
    84061: _rep(
        "员工与客户已不是联系人关系，平台拒绝操作。请让客户重新添加员工。",
        "The member and the customer are no longer contacts. The customer must add the member again.",
    ),
    84074: _admin(
        "没有客户联系的权限。请管理员在企业微信管理后台“客户联系 → 权限配置”中开通。",
        "There is no right for customer contact. An administrator must grant it in the WeCom console: Customer Contact.",
    ),
    95000: _admin(*_ACCOUNT_GONE),
    95001: _rep(
        "客户发来消息后最多回复 5 条，已经用完。等客户再次发来消息后才能回复。",
        "Only 5 messages may follow each message of the customer, and they are used up. "
        "You can answer once the customer writes again.",
        closes_window=True,
    ),
    95002: _rep(
        "距客户上次发消息已超过 48 小时，平台不允许再发送。等客户再次发来消息后才能回复。",
        "More than 48 hours have passed since the customer last wrote. You can answer once the customer writes again.",
        closes_window=True,
    ),
    95003: _admin(
        "企业没有认证，可接待的微信客户数已达上限。请管理员在企业微信管理后台完成认证。",
        "The company is not verified and has reached its limit of customers. An administrator must verify it.",
    ),
    95004: _admin(*_ACCOUNT_GONE),
    95005: _admin(
        "微信客服账号数量已达上限。请管理员在企业微信管理后台删除不用的账号。",
        "The limit of customer service accounts is reached. An administrator must delete unused ones.",
    ),
    95006: _rep(
        "微信客服账号的名称不符合要求。请换一个名称。", "The name of the account is not allowed. Choose another."
    ),
    95007: _rep("读取消息的凭证已失效，请重新读取。", "The token for reading messages is no longer valid; read again."),
    95008: _rep(
        "菜单项太多：最多 50 项，其中可点击、网页和小程序各类合计不超过 10 项；欢迎语最多 10 项。请减少后再发。",
        "The menu has too many items: at most 50, of which 10 can be clicked; a welcome at most 10. Remove some.",
    ),
    95009: _rep(
        "菜单里有平台不支持的菜单项。请检查菜单项的类型。",
        "The menu has an item of a type that the platform does not know. Check the types.",
    ),
    95011: _admin(
        "企业使用的是另一种微信客服模式，不能通过接口管理。请管理员在企业微信管理后台切换。",
        "The company uses the other mode of customer service, which cannot be served here. An administrator must switch it.",
    ),
    95012: _admin(
        "企业使用的是另一种微信客服模式，不能通过接口管理。请管理员在企业微信管理后台切换。",
        "The company uses the other mode of customer service, which cannot be served here. An administrator must switch it.",
    ),
    95013: _rep(
        "会话已经结束。等客户再次发来消息后才能回复。",
        "The session has ended. You can answer once the customer writes again.",
    ),
    95014: _rep(*_SERVICER),
    95016: _rep(
        "会话当前的状态不允许这样变更。请刷新后再试。",
        "The session cannot be changed in this way now. Refresh, then try again.",
    ),
    95017: _admin(
        "微信客服的 API 开关已关闭。请管理员在企业微信管理后台“微信客服 → API”中打开。",
        "The API switch of customer service is off. An administrator must turn it on in the WeCom console.",
    ),
    95018: _rep(
        "会话现在不允许从这里发送：同事正在企业微信里接待，或会话在排队、已结束。请在企业微信客户端回复，或等客户再次发来消息。",
        "Nothing can be sent from here now: a colleague answers in WeCom, or the session is queued or ended. "
        "Answer in the WeCom client, or wait until the customer writes again.",
    ),
    95019: _rep(
        "这位接待人员已停止接待。请选择其他同事。",
        "This colleague has stopped serving. Choose another one.",
    ),
    830002: _rep("文件太大，企业微信不允许一次取回。", "The file is too large to be fetched in one piece."),
}
