/** Times for people: relative when near, absolute when far. Durations in milliseconds. */

import type { Language } from '@/api/types'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const two = (n: number): string => String(n).padStart(2, '0')

export function clockTime(iso: string): string {
  const date = new Date(iso)
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

function daysBetween(date: Date, now: Date): number {
  const start = (d: Date): number => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate())
  return Math.round((start(now) - start(date)) / DAY)
}

function shortDate(date: Date, now: Date): string {
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return date.getFullYear() === now.getFullYear() ? day : `${date.getFullYear()}-${day}`
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
  const sameYear = date.getFullYear() === today.getFullYear()
  return new Intl.DateTimeFormat(language, {
    weekday: days > 0 && days < 7 ? 'long' : undefined,
    month: 'long',
    day: 'numeric',
    year: sameYear ? undefined : 'numeric',
  }).format(date)
}

export function fullTime(iso: string, language: Language): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso))
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
