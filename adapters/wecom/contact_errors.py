"""Error codes of customer contact, tags, groups, codes, transfers (wecom.md section 3.5; pages 90313, 92228, 92125, 95703)."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.wecom.meaning import Meaning, admin, later, rep

_SOFTWARE = (
    "企业微信认为请求的格式有误，这是软件的问题。请把错误代码告诉管理员。",
    "WeCom finds the request malformed, which is a fault of the software. Tell an administrator the error code.",
)
_CODE_GONE = (
    "这个二维码在企业微信上已不存在。请重新生成。",
    "WeCom no longer has this code. Make a new one.",
)
_MOVING = (
    "这位客户正在转接给另一位同事。等这次转接有了结果（最长 24 小时）再操作。",
    "This customer is being handed over already. Wait for the result, at most 24 hours.",
)
_NOT_THEIRS = (
    "这位客户不在转出员工的客户列表里，可能已被删除。请刷新客户资料。",
    "The customer is not on the list of the colleague who hands over, perhaps deleted. Refresh the customer.",
)
_GROUP_GONE = (
    "这个群不存在、已解散，或不是客户群。",
    "This group does not exist, is dissolved, or is no customer group.",
)
_ATTACHMENTS = (
    "附件不符合要求：最多 9 个，类型为图片、链接、小程序、视频或文件。请修改后再保存。",
    "The attachments are not allowed: at most 9 pictures, links, mini-programs, videos or files. Change them.",
)

_MOMENT_GONE = (
    "企业微信没有这条朋友圈，可能已过期，或不是企业创建的。",
    "WeCom does not know this moment: perhaps it is too old, or the company did not make it.",
)
_MOMENT_FILE = (
    "朋友圈的文件不符合要求：图片不超过 10 MB，长边不超过 10800、短边不超过 1080 像素；视频不超过 10 MB、30 秒。请调整后再发。",
    "A file does not fit a moment: pictures up to 10 MB, the long side up to 10800 and the short side up to 1080 pixels; "
    "videos up to 10 MB and 30 seconds. Change it.",
)

CONTACT_MEANINGS: Mapping[int, Meaning] = {
    41046: rep(*_SOFTWARE),
    41047: rep(
        "企业微信没有这个群发任务，可能已过期。",
        "WeCom does not know this mass message, perhaps it is too old.",
    ),
    41048: rep(
        "没有可以发送的客户：他们都不是该员工的好友。",
        "Nobody can get it: none of these customers is a contact of this member.",
    ),
    41063: rep("企业微信还在分发这个群发任务，稍后再看。", "WeCom still hands this task out; look again later."),
    41093: rep("这个群发任务已经取消。", "This mass message was cancelled already."),
    41094: rep(
        "提醒次数已用完，企业微信不再提醒。请直接联系员工。",
        "WeCom takes no more reminders for this mass message. Ask the member in person.",
    ),
    41059: rep(*_SOFTWARE),
    41060: rep(*_MOMENT_GONE),
    41061: rep("这条朋友圈不是这位成员的。", "This moment is not one of this member's."),
    41062: rep("这位成员还没有发表这条朋友圈。", "This member has not published the moment yet."),
    41067: rep(*_MOMENT_GONE),
    41078: later(
        30,
        "企业微信同时创建的朋友圈任务太多，稍后自动重试。",
        "WeCom is making too many moments at once; trying again shortly.",
    ),
    41079: later(
        30, "企业微信还在分发这条朋友圈，稍后再看。", "WeCom still hands this moment out; looking again later."
    ),
    41080: rep(*_MOMENT_FILE),
    41081: rep(*_MOMENT_FILE),
    41082: rep(*_MOMENT_FILE),
    41210: rep(
        "本月的企业朋友圈已达 100000 条的上限。请下个月再发。",
        "The company has made its 100,000 moments of this month. Wait for the next one.",
    ),
    41211: admin(
        "企业没有开通客户朋友圈。请管理员在企业微信管理后台“客户联系 → 客户朋友圈”中开通。",
        "Moments are not enabled. An administrator must enable them in the WeCom console: Customer Contact, Moments.",
    ),
    40050: rep(*_GROUP_GONE),
    40068: rep(
        "标签在企业微信上已不存在，可能刚被删除。请同步标签后再试。",
        "WeCom no longer has this tag, perhaps somebody has just deleted it. Bring the tags up to date, then try again.",
    ),
    40071: rep(
        "企业微信里已有同名的标签或标签组。请换一个名称。",
        "WeCom has a tag or group of this name. Choose another name.",
    ),
    40097: rep(
        "转出的员工还没有离职，不能按离职继承分配。请用在职转接。",
        "The colleague who hands over has not left. Use the hand-over between colleagues.",
    ),
    40098: rep(
        "接替的同事还没有实名认证。请让对方在企业微信里完成实名认证。",
        "The colleague who takes over has not verified their name. Have them do so in WeCom.",
    ),
    40099: rep(
        "接替的同事的客户数已达上限。请换一位同事，或请管理员在企业微信管理后台申请提高上限。",
        "The colleague who takes over has as many customers as allowed. Choose another, or have an administrator ask for more.",
    ),
    40100: rep(*_MOVING),
    40126: admin(
        "企业标签已达 10000 个的上限。请管理员删除不用的标签。",
        "The company has its 10,000 tags. An administrator must delete unused ones.",
    ),
    40128: rep(
        "这位客户或这个群在 90 天内已转接过 2 次，平台不允许再转。请过些天再试。",
        "This customer or group was handed over twice within 90 days, which is all the platform allows. Try again later.",
    ),
    40129: rep(*_MOVING),
    40130: rep(
        "转出和接替的是同一位同事。请选择另一位同事。", "Giver and taker are the same. Choose another colleague."
    ),
    40131: rep(*_NOT_THEIRS),
    40143: rep(
        "接替的同事的账号被企业微信限制，不能接收客户。请换一位同事。",
        "WeCom has restricted the colleague who takes over. Choose another one.",
    ),
    40144: rep(
        "这位客户的标签太多，企业微信不再接受。请先移除一些。",
        "The customer has too many tags for WeCom. Remove some first.",
    ),
    41037: rep(*_SOFTWARE),
    41038: rep(*_SOFTWARE),
    41039: rep(*_SOFTWARE),
    41040: rep(*_SOFTWARE),
    41041: rep("一个二维码最多 100 位成员。请减少后再保存。", "A code has at most 100 members. Remove some."),
    41042: rep(*_SOFTWARE),
    41043: rep(*_SOFTWARE),
    41044: rep(*_CODE_GONE),
    41045: admin(
        "企业通过接口创建的二维码已达上限。请管理员删除不用的二维码。",
        "The company has as many codes as allowed. An administrator must delete unused ones.",
    ),
    41064: rep(*_ATTACHMENTS),
    41065: rep(*_ATTACHMENTS),
    41072: rep(*_ATTACHMENTS),
    41088: rep(*_ATTACHMENTS),
    41089: rep("欢迎语是空的。请填写文字或添加附件。", "The greeting is empty. Write a text or add an attachment."),
    49008: rep(*_GROUP_GONE),
    81013: rep(
        "所选的成员都不存在，或都不在应用的可见范围内。请检查成员，或请管理员调整应用的可见范围。",
        "None of the chosen members is known to WeCom or in the app's range. Check them, or have an administrator widen the range.",
    ),
    81017: rep(
        "企业人数较多，企业微信只按群主提供客户群。请指定群主后再读取。",
        "The company is large, so WeCom tells groups by their owners only. Name the owners.",
    ),
    84083: rep(
        "这位同事没有客户联系功能。请管理员在“客户联系 → 权限配置”中开通。",
        "This colleague has no customer contact. An administrator must grant it in the WeCom console.",
    ),
    84084: rep(*_NOT_THEIRS),
    90500: rep(
        "群主还没有离职，不能按离职继承转移这个群。请用在职转移。",
        "The owner of the group has not left. Use the hand-over between colleagues.",
    ),
    90501: rep(*_GROUP_GONE),
    90502: rep(
        "群主已离职，请按离职继承转移这个群。",
        "The owner of the group has left. Use the hand-over from those who left.",
    ),
    90503: rep(
        "群已满员，企业微信不能自动转移。请在企业微信客户端里转让群主。",
        "The group is full, so WeCom cannot hand it over by itself. Change its owner in the WeCom client.",
    ),
    90504: rep("这位同事已经是群主。", "This colleague owns the group already."),
    90507: rep("这个群正在继承处理中，请稍后再看。", "This group is being inherited; look again later."),
    90508: rep("这个群已经被继承，不能再按离职继承转移。", "This group has been inherited already."),
    90509: rep(*_GROUP_GONE),
    301060: rep(
        "一次查询的人数超过了企业微信的上限。服务会分批再查，不需要处理。",
        "More people were asked about at once than WeCom allows. The service asks again in parts; nothing needs to be done.",
    ),
}
