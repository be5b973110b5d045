/** Calls of a customer's own page. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Customer = Schemas['CustomerView']
export type CustomerChange = Schemas['CustomerInput']
export type StoryEntry = Schemas['StoryEntry']
export type StoryPage = Schemas['Story']
export type StoryPart = 'messages' | 'follow_ups' | 'tasks' | 'changes' | 'events'

const customer = (customer_id: number) => ({ params: { path: { customer_id } } })

export const whole = {
  customer: (id: number) => answerOf(routes.GET('/api/customers/{customer_id}', customer(id))),
  change: (id: number, body: CustomerChange) => answerOf(routes.PATCH('/api/customers/{customer_id}', { ...customer(id), body })),
  story: (customer_id: number, parts: readonly StoryPart[], cursor?: string, limit = 30) =>
    answerOf(
      routes.GET('/api/customers/{customer_id}/story', {
        params: { path: { customer_id }, query: { parts: parts.join(',') || undefined, cursor, limit } },
      }),
    ),
}
