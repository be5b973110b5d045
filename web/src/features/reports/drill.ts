import type { RouteLocationRaw } from 'vue-router'

/** The list of customers with a filter: `/customers?filter=` and the filter as the service takes it, as JSON. */
export interface Condition {
  field: string
  op: string
  value: unknown
}

export function listOf(parts: readonly (Condition | null)[]): RouteLocationRaw {
  return { path: '/customers', query: { filter: JSON.stringify({ match: 'all', parts: parts.filter((one) => one !== null) }) } }
}

/** Customers made on these days. */
export const madeOn = (first: string, last: string): Condition => ({ field: 'created_at', op: 'between', value: [first, last] })

/** Customers with one value of a property; of a field, `several`: customers may have more than one. */
export function withValue(by: string, value: string, several = false): Condition | null {
  const ids = by === 'owner' || by === 'stage' || by === 'tag'
  const field = by === 'tag' ? 'tags' : by
  if (value === '' || value === '0') return { field, op: 'empty', value: null }
  if (by === 'tag') return { field, op: 'any', value: [Number(value)] }
  if (ids) return { field, op: 'in', value: [Number(value)] }
  if (by === 'gender') return { field, op: 'in', value: [value] }
  if (by.startsWith('fields.')) return { field, op: several ? 'any' : 'in', value: [value] }
  return { field, op: 'is', value }
}
