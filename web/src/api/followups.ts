/** Calls about what was said to customers, and what is to be done next. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type FollowUp = Schemas['FollowUpView']
export type FollowUpPage = Schemas['FollowUpPage']
export type NewFollowUp = Schemas['FollowUpInput']
export type FollowUpEdit = Schemas['FollowUpEdit']
export type FollowUpSettings = Schemas['FollowUpSettingsView']
export type OwnKind = Required<Schemas['OwnKind']>
export type Task = Schemas['TaskView']
export type NewTask = Schemas['NewTask']
export type TaskChange = Schemas['TaskChange']
export type TasksChange = Schemas['TasksChange']
export type TaskCounts = Schemas['TaskCounts']
export type Today = Schemas['Today']
export type CalendarStretch = Schemas['StretchView']
export type MarkedDay = Schemas['MarkedDay']
export type Moments = Schemas['Moments']
export type QuickMoment = Schemas['QuickMoment']
export type Activity = Schemas['Activity']
export type ActivityCell = Required<Schemas['ActivityCell']>
export type ActivityRow = Schemas['ActivityRow']
export type Figure = 'follow_ups' | 'touched' | 'new_customers' | 'tasks_done' | 'tasks_overdue'
export interface ActivityAsked {
  first: string
  last: string
  unit: 'day' | 'week' | 'month'
  team_id?: number
  owner_id?: number
}
export type Repeat = NonNullable<Task['repeat']>

const customer = (customer_id: number) => ({ params: { path: { customer_id } } })
const task = (task_id: number) => ({ params: { path: { task_id } } })
const one = (follow_up_id: number) => ({ params: { path: { follow_up_id } } })

export const followups = {
  ofCustomer: (customer_id: number, cursor: string | null) =>
    answerOf(routes.GET('/api/customers/{customer_id}/follow-ups', { params: { path: { customer_id }, query: { cursor: cursor ?? undefined } } })),
  write: (customer_id: number, body: NewFollowUp) =>
    answerOf(routes.POST('/api/customers/{customer_id}/follow-ups', { ...customer(customer_id), body })),
  correct: (follow_up_id: number, body: FollowUpEdit) => answerOf(routes.PATCH('/api/follow-ups/{follow_up_id}', { ...one(follow_up_id), body })),
  remove: (follow_up_id: number) => answerOf(routes.DELETE('/api/follow-ups/{follow_up_id}', one(follow_up_id))),
  settings: () => answerOf(routes.GET('/api/settings/follow-ups')),
  changeSettings: (body: FollowUpSettings) => answerOf(routes.PATCH('/api/settings/follow-ups', { body })),

  moments: () => answerOf(routes.GET('/api/tasks/moments')),
  counts: () => answerOf(routes.GET('/api/tasks/counts')),
  today: (agent_id: number | null) => answerOf(routes.GET('/api/tasks/today', { params: { query: { agent_id: agent_id ?? undefined } } })),
  calendar: (first: string, last: string, agents: readonly number[]) =>
    answerOf(routes.GET('/api/tasks/calendar', { params: { query: { first, last, agents: agents.length ? agents.join(',') : undefined } } })),
  tasksOf: (customer_id: number, cursor: string | null = null) =>
    answerOf(routes.GET('/api/customers/{customer_id}/tasks', { params: { path: { customer_id }, query: { cursor: cursor ?? undefined } } })),
  add: (body: Schemas['TaskInput']) => answerOf(routes.POST('/api/tasks', { body })),
  change: (task_id: number, body: TaskChange) => answerOf(routes.PATCH('/api/tasks/{task_id}', { ...task(task_id), body })),
  done: (task_id: number, version: number) => answerOf(routes.POST('/api/tasks/{task_id}/done', { ...task(task_id), body: { version } })),
  cancel: (task_id: number, version: number) => answerOf(routes.POST('/api/tasks/{task_id}/cancel', { ...task(task_id), body: { version } })),
  reopen: (task_id: number, version: number) => answerOf(routes.POST('/api/tasks/{task_id}/reopen', { ...task(task_id), body: { version } })),
  activity: (query: ActivityAsked) => answerOf(routes.GET('/api/reports/activity', { params: { query } })),
  activityRows: (query: ActivityAsked & { figure: Figure; cursor?: string }) => answerOf(routes.GET('/api/reports/activity/rows', { params: { query } })),
  changeMany: (body: TasksChange) => answerOf(routes.POST('/api/tasks/bulk', { body })),
}
