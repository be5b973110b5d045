/** Days as `2026-03-01` and where tasks stand on them. Pure: the company's zone is an argument. */

import type { Task } from '@/api/followups'
import { fromWall, toWall } from '@/model/zone'

export type Mode = 'week' | 'month'
export const HOUR_HEIGHT = 44
const STEP = 15

const utc = (day: string): Date => new Date(`${day}T00:00:00Z`)
export const addDays = (day: string, by: number): string => new Date(utc(day).getTime() + by * 86_400_000).toISOString().slice(0, 10)
/** 0 is Monday. */
export const weekdayOf = (day: string): number => (utc(day).getUTCDay() + 6) % 7
export const isDay = (text: unknown): text is string => typeof text === 'string' && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(utc(text).getTime()) && addDays(text, 0) === text

/** The days in sight: a week from Monday, or the weeks that hold a month. */
export function daysOf(mode: Mode, day: string): string[] {
  if (mode === 'week') {
    const monday = addDays(day, -weekdayOf(day))
    return Array.from({ length: 7 }, (_, n) => addDays(monday, n))
  }
  const first = `${day.slice(0, 7)}-01`
  const next = addDays(first, 31).slice(0, 7) + '-01'
  const from = addDays(first, -weekdayOf(first))
  const found: string[] = []
  for (let one = from; one < next || weekdayOf(one) !== 0; one = addDays(one, 1)) found.push(one)
  return found
}

/** The same place one week or month on; the 31st becomes the last day of a shorter month. */
export function turn(mode: Mode, day: string, by: number): string {
  if (mode === 'week') return addDays(day, 7 * by)
  const at = utc(`${day.slice(0, 7)}-01`)
  at.setUTCMonth(at.getUTCMonth() + by)
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()
  at.setUTCDate(Math.min(last, Number(day.slice(8))))
  return at.toISOString().slice(0, 10)
}

export interface Placed {
  task: Task
  day: string
  /** Minutes of the company's clock since midnight. */
  minute: number
}

export function place(task: Task, zone: string): Placed {
  const wall = toWall(Date.parse(task.due_at), zone)
  return { task, day: wall.slice(0, 10), minute: Number(wall.slice(11, 13)) * 60 + Number(wall.slice(14, 16)) }
}

/** Side by side where they would cover each other. */
export function lanes(placed: readonly Placed[], minutes: number): { one: Placed; lane: number; of: number }[] {
  const sorted = [...placed].sort((a, b) => a.minute - b.minute || a.task.id - b.task.id)
  const found: { one: Placed; lane: number; of: number }[] = []
  let group: typeof found = []
  let ends: number[] = []
  const close = (): void => {
    for (const each of group) each.of = ends.length
    group = []
    ends = []
  }
  for (const one of sorted) {
    if (group.length > 0 && ends.every((end) => end <= one.minute)) close()
    let lane = ends.findIndex((end) => end <= one.minute)
    if (lane < 0) lane = ends.push(0) - 1
    ends[lane] = one.minute + minutes
    const each = { one, lane, of: 1 }
    group.push(each)
    found.push(each)
  }
  close()
  return found
}

const two = (n: number): string => String(n).padStart(2, '0')

/** The moment of a day and minute, or of the whole day. */
export function momentAt(day: string, minute: number | null, zone: string): { due_at: string; all_day: boolean } {
  const rounded = minute === null ? null : Math.min(24 * 60 - STEP, Math.max(0, Math.round(minute / STEP) * STEP))
  const wall = rounded === null ? `${day}T23:59` : `${day}T${two(Math.floor(rounded / 60))}:${two(rounded % 60)}`
  return { due_at: new Date(fromWall(wall, zone)).toISOString(), all_day: rounded === null }
}
