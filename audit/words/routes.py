"""Hot words over HTTP: read by those who read the archive, the dictionary changed by those who keep the rules."""

from __future__ import annotations

from audit.words import edit, queries
from audit.words.views import (
    Dictionary,
    EntriesInput,
    HotWordsView,
    MoodView,
    TopicInput,
    TopicList,
    TopicMade,
    TrendQuery,
    TrendView,
    WordQuery,
)
from inbox.queries import one_moment
from scrm.http import Reply, Request, Route
from scrm.permissions import AUDIT_READ, AUDIT_RULES, Scope


async def show_words(request: Request, query: WordQuery) -> HotWordsView:
    async with one_moment(request.services.db) as tx:
        return await queries.words(tx, Scope.of(request.principal), query, request.services.clock.now())


async def show_trend(request: Request, query: TrendQuery) -> TrendView:
    async with one_moment(request.services.db) as tx:
        return await queries.trend(tx, Scope.of(request.principal), query, request.services.clock.now())


async def show_mood(request: Request, query: WordQuery) -> MoodView:
    async with one_moment(request.services.db) as tx:
        return await queries.mood(tx, Scope.of(request.principal), query, request.services.clock.now())


async def list_topics(request: Request, query: WordQuery) -> TopicList:
    async with one_moment(request.services.db) as tx:
        return await queries.topics(tx, Scope.of(request.principal), query, request.services.clock.now())


async def add_topic(request: Request, body: TopicInput) -> Reply[TopicMade]:
    async with request.services.work() as work:
        return Reply(TopicMade(id=await edit.add_topic(work, request.principal, body)), status=201)


async def change_topic(request: Request, topic_id: int, body: TopicInput) -> None:
    async with request.services.work() as work:
        await edit.change_topic(work, request.principal, topic_id, body)


async def delete_topic(request: Request, topic_id: int) -> None:
    async with request.services.work() as work:
        await edit.delete_topic(work, request.principal, topic_id)


async def show_dictionary(request: Request) -> Dictionary:
    async with one_moment(request.services.db) as tx:
        return await queries.dictionary(tx)


async def change_dictionary(request: Request, body: EntriesInput) -> Dictionary:
    async with request.services.work() as work:
        await edit.change_entries(work, request.principal, body)
        return await queries.dictionary(work.tx)


def api_routes() -> list[Route]:
    base = "/api/audit/words"
    topic = f"{base}/topics/{{topic_id}}"
    see, may = AUDIT_READ, AUDIT_RULES
    return [
        Route("GET", base, show_words, see, "The most frequent words, and those on the rise"),
        Route("GET", f"{base}/trend", show_trend, see, "One word, day by day"),
        Route("GET", f"{base}/mood", show_mood, see, "How messages sound, day by day"),
        Route("GET", f"{base}/topics", list_topics, see, "Topics, with their change over time"),
        Route("POST", f"{base}/topics", add_topic, may, "Add a topic", status=201, errors=(409,)),
        Route("PATCH", topic, change_topic, may, "Change a topic", status=204, errors=(409,)),
        Route("DELETE", topic, delete_topic, may, "Delete a topic", status=204),
        Route("GET", f"{base}/dictionary", show_dictionary, see, "The company's own words, and those not counted"),
        Route("POST", f"{base}/dictionary", change_dictionary, may, "Change the dictionary and count anew"),
    ]
