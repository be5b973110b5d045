"""Tasks over HTTP."""

from __future__ import annotations

from customers.queries import customer_row
from customers.tasks.add import add
from customers.tasks.bulk import TasksChange, TasksChanged, change_many
from customers.tasks.change import TaskChange, change
from customers.tasks.finish import Closing, cancel, finish, reopen
from customers.tasks.queries import (
    CalendarQuery,
    CustomerTasks,
    Moments,
    StretchView,
    TaskCounts,
    TaskListQuery,
    Today,
    TodayQuery,
    calendar,
    count_tasks,
    moments,
    one_task,
    tasks_of_customer,
    today,
)
from customers.tasks.views import TaskInput, TaskView
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_WRITE
from scrm.undo import undoable


async def my_day(request: Request, query: TodayQuery) -> Today:
    async with request.services.db.pool.acquire() as tx, tx.transaction(isolation="repeatable_read", readonly=True):
        return await today(tx, request.principal, query, request.services.clock.now())


async def stretch(request: Request, query: CalendarQuery) -> StretchView:
    async with request.services.db.pool.acquire() as tx:
        return await calendar(tx, request.principal, query, request.services.clock.now())


async def counts(request: Request) -> TaskCounts:
    return await count_tasks(request.services.db, request.principal.agent_id, request.services.clock.now())


async def quick(request: Request) -> Moments:
    return await moments(request.services.db, request.services.clock.now())


async def of_customer(request: Request, customer_id: int, query: TaskListQuery) -> CustomerTasks:
    async with request.services.db.pool.acquire() as tx:
        row = await customer_row(tx, request.principal, customer_id)
        return await tasks_of_customer(tx, request.principal, row["id"], query)


async def show(request: Request, task_id: int) -> TaskView:
    return await one_task(request.services.db, request.principal, task_id)


async def create(request: Request, body: TaskInput) -> Reply[TaskView]:
    async with request.services.work() as work:
        task_id, new = await add(work, request.principal, body)
        view = await one_task(work.tx, request.principal, task_id)
    return Reply(view, status=201 if new else 200)


async def edit(request: Request, task_id: int, body: TaskChange) -> Reply[TaskView]:
    async with request.services.work() as work:
        step = await change(work, request.principal, task_id, body)
        view = await one_task(work.tx, request.principal, task_id)
    return undoable(view, step)


async def done(request: Request, task_id: int, body: Closing) -> Reply[TaskView]:
    async with request.services.work() as work:
        step = await finish(work, request.principal, task_id, body.version)
        view = await one_task(work.tx, request.principal, task_id)
    return undoable(view, step)


async def not_needed(request: Request, task_id: int, body: Closing) -> Reply[TaskView]:
    async with request.services.work() as work:
        step = await cancel(work, request.principal, task_id, body.version)
        view = await one_task(work.tx, request.principal, task_id)
    return undoable(view, step)


async def again(request: Request, task_id: int, body: Closing) -> TaskView:
    async with request.services.work() as work:
        await reopen(work, request.principal, task_id, body.version)
        return await one_task(work.tx, request.principal, task_id)


async def many(request: Request, body: TasksChange) -> Reply[TasksChanged]:
    async with request.services.work() as work:
        counted, step = await change_many(work, request.principal, body)
    return undoable(counted, step)


def api_routes() -> list[Route]:
    one = "/api/tasks/{task_id}"
    return [
        Route("GET", "/api/tasks/today", my_day, CUSTOMERS_READ, "What is to be done today"),
        Route("GET", "/api/tasks/calendar", stretch, CUSTOMERS_READ, "Tasks of a stretch of days"),
        Route("GET", "/api/tasks/counts", counts, CUSTOMERS_READ, "How many of one's tasks are late, and due today"),
        Route("GET", "/api/tasks/moments", quick, CUSTOMERS_READ, "Quick moments for what comes next"),
        Route(
            "GET", "/api/customers/{customer_id}/tasks", of_customer, CUSTOMERS_READ, "The tasks of a customer"
        ),
        Route(
            "POST", "/api/tasks", create, CUSTOMERS_WRITE, "Plan a task", status=201, also=(200,), errors=(404, 409)
        ),
        Route("POST", "/api/tasks/bulk", many, CUSTOMERS_WRITE, "Move, give, do or cancel many tasks"),
        Route("GET", one, show, CUSTOMERS_READ, "One task"),
        Route("PATCH", one, edit, CUSTOMERS_WRITE, "Move, give or reword a task", errors=(409,)),
        Route("POST", f"{one}/done", done, CUSTOMERS_WRITE, "Do a task", errors=(409,)),
        Route("POST", f"{one}/cancel", not_needed, CUSTOMERS_WRITE, "Cancel a task", errors=(409,)),
        Route("POST", f"{one}/reopen", again, CUSTOMERS_WRITE, "Open a task again", errors=(409,)),
    ]  # fmt: skip
