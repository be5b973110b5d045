"""The archive of a company with so many records, as a process of its own. The order is ``{public, records, people}``; answers with its
address, and with the sealed keys when it is told so."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson

from bench.bodies import CORP
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings

SECRET = "bench-archive-secret"
APP_SECRET = "bench-app-secret"
MEMBERS = 20
AT_A_TIME = 4
"""Sentences of one chat before somebody writes in another."""
WORDS = ("这款沙发还有现货吗", "周末过来看看可以吗", "合同我先发你看一下", "好的，那我们就这么定了", "尾款什么时候付")


def records(number: int, people: int) -> list[dict[str, Any]]:
    """Single chats of employees with customers, some sentences in one, then in the next."""
    made = []
    for n in range(number):
        chat = n // AT_A_TIME % people
        member, customer = f"member{chat % MEMBERS}", f"wmBench{chat:08}"
        sender, receiver = (customer, member) if n % 2 else (member, customer)
        text = f"{WORDS[n % len(WORDS)]}，第{n}句"
        made.append({"from": sender, "tolist": [receiver], "roomid": "", "msgtype": "text", "text": {"content": text}})
    return made


async def main(order: dict[str, Any]) -> None:
    async with WecomSimulator(settings=Settings(archive_calls_per_minute=1_000_000)) as far:
        far.control.create_app(CORP, APP_SECRET)
        far.control.buy_archive(CORP, SECRET, [f"member{n}" for n in range(MEMBERS)])
        far.control.add_archive_key(CORP, order["public"])
        for record in records(order["records"], order["people"]):
            far.control.archive_says(CORP, record)
        print(orjson.dumps({"base_url": far.base_url}).decode(), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(orjson.loads(sys.argv[1])))
