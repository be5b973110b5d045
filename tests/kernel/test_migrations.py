"""All migrations in order lead to exactly what schema.sql makes."""

from __future__ import annotations

import secrets

import asyncpg

from scrm.migrate import head, migrate, schema_sql, upgrade
from scrm.postgres import EmbeddedPostgres

SHAPE = {
    "columns": """
        select table_name, column_name, ordinal_position, data_type, udt_name, is_nullable, column_default, is_identity
        from information_schema.columns where table_schema = 'public' and table_name <> 'alembic_version'""",
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and conrelid::regclass::text <> 'alembic_version'""",
    "indexes": """
        select tablename, indexname, indexdef from pg_indexes
        where schemaname = 'public' and tablename <> 'alembic_version'""",
    "triggers": """
        select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal""",
    "functions": """
        select proname, pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace""",
}


async def shape_of(url: str) -> dict[str, set[tuple[object, ...]]]:
    connection = await asyncpg.connect(url)
    try:
        return {name: {tuple(row) for row in await connection.fetch(sql)} for name, sql in SHAPE.items()}
    finally:
        await connection.close()


async def empty_database(server: EmbeddedPostgres) -> str:
    name = f"empty_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(server.url_of("postgres"))
    await admin.execute(f"create database {name}")
    await admin.close()
    return server.url_of(name)


async def test_migrations_and_schema_agree(postgres_server: EmbeddedPostgres) -> None:
    by_schema = await empty_database(postgres_server)
    connection = await asyncpg.connect(by_schema)
    await connection.execute(schema_sql())
    await connection.close()
    by_migrations = await empty_database(postgres_server)
    await upgrade(by_migrations)
    expected, found = await shape_of(by_schema), await shape_of(by_migrations)
    assert expected["columns"], "an empty schema would equal anything"
    for name in SHAPE:
        assert found[name] == expected[name], name


async def test_new_database_is_stamped_and_migrate_repeats_harmlessly(postgres_server: EmbeddedPostgres) -> None:
    url = await empty_database(postgres_server)
    assert "made a new database" in await migrate(url)
    connection = await asyncpg.connect(url)
    await connection.execute("insert into team (name) values ('售前')")
    assert "already" in await migrate(url)
    assert await connection.fetchval("select name from team") == "售前"
    assert await connection.fetchval("select version_num from alembic_version") == head()
    await connection.close()


async def test_words_that_were_counted_before_are_counted_anew_beside_them(postgres_server: EmbeddedPostgres) -> None:
    """0041: what managers read stays until the new count is done; the company's own words are taken along."""
    url = await empty_database(postgres_server)
    await upgrade(url, "0040")
    connection = await asyncpg.connect(url)
    await connection.execute(
        "insert into word_entry (kind, word, added_at) values ('word', '秒杀价', now()), ('stop', '你好', now())"
    )
    await connection.execute(
        "insert into word_book (state, words, stops, last_id, started_at) values ('live', '{秒杀价}', '{你好}', 7, now())"
    )
    assert await migrate(url) == f"went from revision 0040 to {head()}"
    books = "select state, words, stops, last_id from word_book order by id"
    assert [tuple(row) for row in await connection.fetch(books)] == [
        ("live", ["秒杀价"], ["你好"], 7),
        ("building", ["秒杀价"], ["你好"], 0),
    ]
    await connection.close()


async def test_where_no_words_were_counted_none_are_counted_anew(postgres_server: EmbeddedPostgres) -> None:
    url = await empty_database(postgres_server)
    await upgrade(url, "0040")
    await migrate(url)
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("select count(*) from word_book") == 0
    await connection.close()
