"""The employees of the sample company on WeCom: whom they have on their lists, what they wrote, their groups. Data and how it is set up;
the same on every start."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.company.people import CORP_ID, STAFF, person_id, union_id
from simulator.company.script import read_chats
from simulator.wecom.control import WecomControl

SALES, SERVICE, OFFICE = 2, 3, 4
DEPARTMENTS = {SALES: "销售部", SERVICE: "售后部", OFFICE: "市场与行政"}
POSITIONS = {
    "rep1": ("家居顾问", SALES),
    "rep2": ("家居顾问", SALES),
    "rep3": ("售后专员", SERVICE),
    "manager": ("门店经理", SALES),
    "marketer": ("市场专员", OFFICE),
    "auditor": ("行政", OFFICE),
    "admin": ("信息管理", OFFICE),
}
SERVING = ("rep1", "rep2", "rep3", "manager")
TAGS = {"来店方式": ("老客介绍", "小区团购", "设计师推荐"), "服务": ("待量尺", "待安装", "已回访")}
NEIGHBOURS = (
    "齐悦", "郑浩然", "吴佳怡", "冯晓东", "蒋梦琪", "沈国强", "韩雪", "杨帆", "朱丽", "秦川", "许若曦", "何俊杰",
    "吕思思", "施文博", "张倩", "孔令飞", "曹颖", "严明", "金灿", "魏子轩",
)  # fmt: skip
"""People whom the shops know and who have not written to customer service."""
TO_COME = ("贺晓峰", "龚雪婷", "程亦凡", "邢菲", "裴俊", "陆瑶", "荣嘉欣", "翁海洋", "荀梓涵", "甄好")
"""Who will add somebody while one watches."""
TOPICS = ("沙发", "餐桌", "灯具", "衣柜", "软装", "床垫")
STATES = ("滨江店海报", "展会名片", "", "")
GROUPS = (("青禾老客户 1 群", "rep1", 9), ("滨江花园团购群", "rep2", 14))


def userid(login: str) -> str:
    return f"qh-{login}"


def set_up(wecom: WecomControl) -> None:
    """Employees with their departments; on the first start also their customers, tags and groups. Nobody is told: the service reads
    all of it when it compares."""
    for number, name in DEPARTMENTS.items():
        wecom.create_department(CORP_ID, number, name)
    for colleague in STAFF:
        position, department = POSITIONS[colleague.login]
        serves = colleague.login in SERVING
        wecom.create_member(CORP_ID, userid(colleague.login), colleague.name, [department], position, serves=serves)
    if wecom.truth(CORP_ID)["tags"]:
        return
    tags = [
        tag for group, names in TAGS.items() for tag in wecom.create_tag_group(CORP_ID, group, list(names)).values()
    ]
    everybody = _acquaintances()
    for place, (name, login) in enumerate(everybody):
        union = union_id(name) if name in NEIGHBOURS else ""
        who = wecom.create_customer(CORP_ID, name, person_id("wecom", name), unionid=union)
        topic = TOPICS[place % len(TOPICS)]
        wecom.create_follow(
            CORP_ID,
            userid(login),
            who,
            remark=f"{name}·{topic}" if place % 3 else "",
            description=f"想看{topic}，方便时联系" if place % 5 == 0 else "",
            tag_ids=[tags[place % len(tags)]] if place % 2 else [],
            state=STATES[place % len(STATES)],
            add_way=(1, 1, 2, 3)[place % 4],
            remark_mobiles=[f"1380013{place:04}"] if place % 4 == 1 else [],
            days_ago=3 + place * 37 % 170 + place / 50,
        )
    for number, (name, login, size) in enumerate(GROUPS):
        members = [person_id("wecom", one) for one, _ in everybody[number::2][:size]]
        notice = "文明交流，有问题随时问"
        wecom.create_group(
            CORP_ID, name, userid(login), [userid("manager"), *members], notice=notice, days_ago=60 + 40 * number
        )


def _acquaintances() -> Sequence[tuple[str, str]]:
    """Customers of customer service are on the list of whoever answers them; the neighbours go round."""
    served = {
        chat.name: chat.rep
        for chat in read_chats("presale") + read_chats("store") + read_chats("aftersale")
        if chat.rep
    }
    neighbours = {name: SERVING[place % 3] for place, name in enumerate(NEIGHBOURS)}
    return list({**neighbours, **served}.items())
