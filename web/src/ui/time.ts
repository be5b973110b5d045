/** Times for people, in the company's time zone wherever their browser is: relative when near, absolute when far. Durations in
 * milliseconds. */

import { ref } from 'vue'
import type { Language } from '@/api/types'
import { fromWall } from '@/model/zone'

/** 14:02 or 2:02 PM, as its reader likes it. */
const hours = ref<'24' | '12'>('24')
export function setTimeFormat(wanted: '24' | '12'): void {
  hours.value = wanted
}

/** Until the service has said which one it is, that of the browser. */
const zone = ref(new Intl.DateTimeFormat().resolvedOptions().timeZone)
export function setZone(name: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    zone.value = name
  } catch {
    // A zone that this browser has never heard of: its own is better than none.
  }
}

/** Making a format is slow, and lists ask for hundreds of times. */
const formats = new Map<string, Intl.DateTimeFormat>()

function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${zone.value} ${JSON.stringify(options)}`
  const known = formats.get(key)
  if (known) return known
  const made = new Intl.DateTimeFormat(language, { ...options, timeZone: zone.value })
  formats.set(key, made)
  return made
}

interface Wall {
  year: number
  month: number
  day: number
  hour: number
  minute: number
}

/** What calendar and clock on the company's wall show. */
function wall(at: Date | number): Wall {
  const options = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', hourCycle: 'h23' } as const
  const parts = format('en-US', options).formatToParts(at)
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value)
  return { year: of('year'), month: of('month'), day: of('day'), hour: of('hour'), minute: of('minute') }
}

/** A day of the company's calendar, `2026-03-01`: today, or so many days ahead of it. The browser may be in another day already. */
export function companyDay(ahead = 0): string {
  const { year, month, day } = wall(Date.now())
  return new Date(Date.UTC(year, month - 1, day + ahead)).toISOString().slice(0, 10)
}

/** When the clock on the company's wall shows `09:00` on a day of {@link companyDay}; in milliseconds. */
export const companyTime = (clock: string, ahead = 0): number => fromWall(`${companyDay(ahead)}T${clock}`, zone.value)

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const two = (n: number): string => String(n).padStart(2, '0')

export function clockTime(iso: string): string {
  if (hours.value === '12') return format('en-US', { hour: 'numeric', minute: '2-digit', hour12: true }).format(new Date(iso))
  const { hour, minute } = wall(new Date(iso))
  return `${two(hour)}:${two(minute)}`
}

const dayNumber = ({ year, month, day }: Wall): number => Date.UTC(year, month - 1, day) / DAY

function daysBetween(date: Date, now: Date): number {
  return dayNumber(wall(now)) - dayNumber(wall(date))
}

export function sameDay(a: string, b: string): boolean {
  return daysBetween(new Date(a), new Date(b)) === 0
}

function shortDate(date: Date, now: Date): string {
  const { year, month, day } = wall(date)
  const short = `${two(month)}-${two(day)}`
  return year === wall(now).year ? short : `${year}-${short}`
}

/** For lists: 刚刚, 5 分钟, 14:02, 昨天, 11-18, 2024-11-18. */
export function listTime(iso: string, now: number, language: Language): string {
  const date = new Date(iso)
  const today = new Date(now)
  const ago = now - date.getTime()
  const zh = language === 'zh-CN'
  if (ago < MINUTE && ago > -HOUR) return zh ? '刚刚' : 'now'
  if (ago < HOUR && ago > 0) return zh ? `${Math.floor(ago / MINUTE)} 分钟` : `${Math.floor(ago / MINUTE)} min`
  const days = daysBetween(date, today)
  if (days === 0) return clockTime(iso)
  if (days === 1) return zh ? '昨天' : 'Yesterday'
  return shortDate(date, today)
}

/** For day separators: 今天, 昨天, 星期三, 11月18日, 2024年11月18日. */
export function dayLabel(iso: string, now: number, language: Language): string {
  const date = new Date(iso)
  const today = new Date(now)
  const zh = language === 'zh-CN'
  const days = daysBetween(date, today)
  if (days === 0) return zh ? '今天' : 'Today'
  if (days === 1) return zh ? '昨天' : 'Yesterday'
  const sameYear = wall(date).year === wall(today).year
  return format(language, {
    weekday: days > 0 && days < 7 ? 'long' : undefined,
    month: 'long',
    day: 'numeric',
    year: sameYear ? undefined : 'numeric',
  }).format(date)
}

export function fullTime(iso: string, language: Language): string {
  return format(language, { dateStyle: 'medium', timeStyle: 'medium', hour12: hours.value === '12' }).format(new Date(iso))
}

/** 2 天 3 小时, 15 小时 08 分, 8 分 20 秒 (seconds only under ten minutes). */
export function duration(milliseconds: number, language: Language, withSeconds = false): string {
  const zh = language === 'zh-CN'
  const left = Math.max(0, milliseconds)
  const days = Math.floor(left / DAY)
  const hours = Math.floor((left % DAY) / HOUR)
  const minutes = Math.floor((left % HOUR) / MINUTE)
  const seconds = Math.floor((left % MINUTE) / 1000)
  if (days > 0) return zh ? `${days} 天 ${hours} 小时` : `${days} d ${hours} h`
  if (hours > 0) return zh ? `${hours} 小时 ${two(minutes)} 分` : `${hours} h ${two(minutes)} min`
  if (withSeconds && minutes < 10) return zh ? `${minutes} 分 ${two(seconds)} 秒` : `${minutes} min ${two(seconds)} s`
  return zh ? `${minutes} 分钟` : `${minutes} min`
}

/** Coarse, for chips: 15 时, 40 分, 3 天. */
export function coarse(milliseconds: number, language: Language): string {
  const zh = language === 'zh-CN'
  const left = Math.max(0, milliseconds)
  if (left >= 2 * DAY) return zh ? `${Math.floor(left / DAY)} 天` : `${Math.floor(left / DAY)} d`
  if (left >= HOUR) return zh ? `${Math.floor(left / HOUR)} 小时` : `${Math.floor(left / HOUR)} h`
  return zh ? `${Math.max(1, Math.floor(left / MINUTE))} 分钟` : `${Math.max(1, Math.floor(left / MINUTE))} min`
}

/** 1:05 */
export function playTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  return `${Math.floor(whole / 60)}:${two(whole % 60)}`
}
