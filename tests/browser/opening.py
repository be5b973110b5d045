"""What the first view and opening a conversation cost a browser: octets, jumps of the layout, work of the main thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import CDPSession, Page, Request

from scrm.db import Database

WATCH_SHIFTS = """
window.__shifts = []
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    const nodes = one.sources.map(({ node }) => node?.parentElement ? `${node.nodeName}.${node.className}` : '?')
    window.__shifts.push([one.value, nodes.slice(0, 3).join(' ')])
  }
}).observe({ type: 'layout-shift', buffered: true })
"""
LOADED = {"Document", "Script", "Stylesheet", "Font", "Image"}
KINDS = (
    ("text", "在直播间看到的护眼灯，适合三年级的孩子吗？家里书桌一米四，想要亮一点的", {}),
    ("text", "好的", {"quote": {"text": "在直播间看到的护眼灯", "name": "李小姐"}}),
    ("link", "安装教程", {"title": "灯臂安装教程", "description": "一分钟学会", "url": "https://shop.example/a?id=1"}),
    ("location", "", {"name": "滨江体验店", "address": "杭州市滨江区江南大道 100 号", "latitude": 30.2, "longitude": 120.2}),
    ("miniprogram", "", {"title": "青禾家居商城"}),
    ("product", "", {"title": "护眼台灯 Pro", "price": "399", "shop": "旗舰店"}),
    ("order", "", {"title": "护眼台灯 Pro", "order_id": "6921234567890", "state": "已发货", "price": "399"}),
    ("contact_card", "", {"name": "王敏", "user_id": "wangmin"}),
    ("image", "[图片]", {}),
    ("voice", "[语音]", {}),
    ("file", "[文件]", {}),
    ("menu", "请选择", {"items": [{"text": "查订单"}, {"text": "退换货"}]}),
)  # fmt: skip
"""Kinds with the content that their cards show."""

MESSAGES = """
insert into message (conversation_id, seq, version, direction, kind, text, content, state, sender_kind, sender_id,
  sent_at, created_at, recalled_at, recalled_by)
select $1, s, s, case when s % 3 = 0 then 'out' else 'in' end, k.kind, k.text || ' ' || s, k.content,
  case when s % 3 = 0 then 'sent' else 'received' end, case when s % 3 = 0 then 'agent' else 'customer' end, 'x',
  $5::timestamptz + interval '7 minute' * s, $5, case when s % 17 = 0 then $5::timestamptz end,
  case when s % 17 = 0 then 'customer' end
from generate_series(1, $6::int) s
join unnest($2::text[], $3::text[], $4::jsonb[]) with ordinality k (kind, text, content, n) on k.n = 1 + s % cardinality($2)
"""
FILES = """
insert into attachment (message_id, kind, state, name, mime, size, width, height, duration_ms)
select id, kind, 'expired', '报价单.pdf', 'application/octet-stream', 20480, 320, 240, 4200 from message
where conversation_id = $1 and kind in ('image', 'voice', 'file')
"""


async def long_thread(db: Database, conversation_id: int, messages: int = 200) -> None:
    """Fills a conversation with messages of all kinds."""
    start = await db.fetchval("select now() - interval '2 days'")
    kinds, texts, contents = (list(column) for column in zip(*KINDS, strict=True))
    await db.execute("delete from message where conversation_id = $1", conversation_id)
    await db.execute(MESSAGES, conversation_id, kinds, texts, contents, start, messages)
    await db.execute(FILES, conversation_id)
    await db.execute(
        "update conversation set last_seq = $2, version = $2, read_seq = $2, unread = 0 where id = $1",
        conversation_id,
        messages,
    )


@dataclass
class Load:
    """Octets over the network by address, as they were transferred: compressed."""

    octets: dict[str, float] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def watch(cls, page: Page) -> Load:
        load = cls()
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("Network.enable")
        cdp.on("Network.responseReceived", load._received)
        cdp.on("Network.loadingFinished", load._finished)
        return load

    def _received(self, event: dict[str, Any]) -> None:
        if event["type"] in LOADED:
            self._urls[event["requestId"]] = event["response"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        url = self._urls.get(event["requestId"])
        if url is not None:
            self.octets[url] = self.octets.get(url, 0) + event["encodedDataLength"]

    @property
    def total(self) -> float:
        return sum(self.octets.values())


async def shifts(page: Page) -> list[tuple[float, str]]:
    """Every jump of the layout so far, also those right after a click."""
    return [(value, where) for value, where in await page.evaluate("window.__shifts")]


@dataclass(frozen=True, slots=True)
class Cost:
    """``milliseconds`` of the main thread's processor time (a figure to print: it depends on the machine), layouts, calls of the API."""

    milliseconds: float
    layouts: int
    calls: int


class MainThread:
    """Processor time of the page's main thread, so that what else the machine does is not counted."""

    def __init__(self, cdp: CDPSession) -> None:
        self._cdp = cdp

    @classmethod
    async def watch(cls, page: Page) -> MainThread:
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        return cls(cdp)

    async def spent(self) -> tuple[float, int]:
        """Milliseconds of work and layouts so far."""
        metrics = (await self._cdp.send("Performance.getMetrics"))["metrics"]
        found = {one["name"]: one["value"] for one in metrics}
        return float(found["TaskDuration"]) * 1000, int(found["LayoutCount"])


async def cost_of_opening(page: Page, main: MainThread, row: str) -> Cost:
    """From the click on a row until nothing moves any more."""
    calls: list[str] = []

    def note(request: Request) -> None:
        if "/api/" in request.url:
            calls.append(request.url)

    page.on("request", note)
    before, layouts = await main.spent()
    await page.locator(row).click()
    await page.get_by_test_id("messages").locator("[data-testid^=message-]").last.wait_for()
    await quiet(page)
    after, more = await main.spent()
    page.remove_listener("request", note)
    return Cost(after - before, more - layouts, len(calls))


async def quiet(page: Page) -> None:
    """Until the page has had nothing to do for three idle periods in a row."""
    await page.evaluate(
        """() => new Promise((done) => {
          let left = 3
          const again = () => (left-- > 0 ? requestIdleCallback(again) : done())
          requestIdleCallback(again)
        })"""
    )
