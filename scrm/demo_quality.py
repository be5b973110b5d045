"""The sample company inspects chats: a sheet, a plan, some scores, an appeal; and words and topics of its trade. Once, near the end."""

from __future__ import annotations

from datetime import timedelta

from audit.quality import draw, plans, scoring, sheets
from audit.quality.arithmetic import outcome
from audit.quality.samples import sheet_of
from audit.quality.talks import TalkKeeper
from audit.quality.views import DrawInput, MarkInput, PlanData, PlanInput, ScoreInput, SheetInput, SheetItem
from audit.words import edit
from audit.words.views import EntriesInput, TopicInput
from scrm.auth import principal_of
from scrm.company import FACTS
from scrm.demo_campaigns import PERSON
from scrm.permissions import Principal
from scrm.services import Services, Work

ITEMS = [
    SheetItem(key="greet", name="开场问候", hint="称呼客户，说明身份", points=10),
    SheetItem(key="need", name="了解需求", hint="先问清再推荐", points=25),
    SheetItem(key="answer", name="解答准确", hint="价格、材质、售后说法与口径一致", points=35),
    SheetItem(key="tone", name="语气与耐心", points=20),
    SheetItem(key="next", name="约定下一步", points=10),
    SheetItem(key="promise", name="私下收款或虚假承诺", points=0, veto=True),
]
LOST: tuple[dict[str, int], ...] = (
    {},
    {"need": 10},
    {"answer": 15, "next": 10},
    {"greet": 5},
    {"tone": 5},
    {"need": 15, "answer": 10, "next": 10},
)
WORDS = ["实木床", "岩板餐桌", "乳胶床垫", "定制衣柜", "送货上门"]
TOPICS = {
    "售后": ["退款", "退货", "换货", "破损", "色差"],
    "价格与优惠": ["优惠", "优惠券", "便宜", "活动", "价格"],
    "物流": ["快递", "发货", "物流", "安装"],
}
APPEAL = "客户当天已经在门店问清需求，聊天里没有重复追问。"


async def inspect(services: Services) -> None:
    """Does nothing where somebody inspects already."""
    if await services.db.fetchval("select exists (select from quality_sheet)"):
        return
    async with services.work() as work:
        manager = await _person(work, "manager")
        await edit.change_entries(work, manager, EntriesInput(words=WORDS, kind="word"))
        for name, words in TOPICS.items():
            await edit.add_topic(work, manager, TopicInput(name=name, words=words))
    keeper = TalkKeeper(services)
    await keeper.round()
    while await keeper.round():
        pass
    async with services.work() as work:
        manager, auditor = await _person(work, "manager"), await _person(work, "auditor")
        sheet = await sheets.add(work, manager, SheetInput(name="售前咨询评分表", items=ITEMS, pass_percent=80))
        await sheets.publish(work, manager, sheet)
        body = PlanInput(name="每周抽检", sheet_id=sheet, schedule="weekly", data=PlanData(amount=4))
        plan = await plans.add(work, manager, body)
        today = work.now.astimezone((await FACTS.load(work.tx)).clock).date()
        period = DrawInput(first=today - timedelta(days=30), last=today, client_token="demo-first-draw")  # noqa: S106 - names one act
        await draw.draw_on_demand(work, manager, plan, period)
        await _score(work, auditor)


async def _score(work: Work, auditor: Principal) -> None:
    """Two thirds of them; the last of a rep who signs in is appealed against."""
    rows = await work.tx.fetch(
        "select s.id, s.sheet_version_id, a.login from quality_sample s join agent a on a.id = s.agent_id order by s.id"
    )
    appealed = False
    for number, row in enumerate(rows):
        if number % 3 == 2 or row["login"] == auditor.login:
            continue
        items, pass_percent = await sheet_of(work.tx, row)
        lost = LOST[number % len(LOST)]
        marks = [MarkInput(item=one.key, points=one.points - lost.get(one.key, 0)) for one in items]
        passed = outcome(items, marks, pass_percent).passed
        comment = "整体不错，继续保持。" if passed else "推荐之前先问清户型和预算。"
        await scoring.score(work, auditor, row["id"], ScoreInput(marks=marks, comment=comment))
        if not appealed and lost and row["login"] == "rep1":
            await scoring.appeal(work, await _person(work, "rep1"), row["id"], APPEAL)
            appealed = True


async def _person(work: Work, login: str) -> Principal:
    row = await work.tx.fetchrow(PERSON, login)
    assert row is not None, "the sample company has hired its people"
    return principal_of(row)
