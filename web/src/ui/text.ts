/** Text for people, and text from people. */

import { i18n } from '@/i18n'

/** Names one after another, as the page's language separates them. */
export function listed(names: readonly string[]): string {
  return names.join(i18n.global.locale.value === 'en' ? ', ' : '、')
}

/** Only addresses that are safe to open; anything else is null. */
export function safeHref(value: unknown): string | null {
  if (typeof value !== 'string') return null
  try {
    const url = new URL(value)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null
  } catch {
    return null
  }
}

/** Pictures from elsewhere are shown over https only. */
export function safeImage(value: unknown): string | null {
  const href = safeHref(value)
  if (href?.startsWith('https:')) return href
  if (typeof value === 'string' && value.startsWith('/') && !value.startsWith('//')) return value
  // A demo or a test serves its pictures from this very machine.
  return href !== null && ['127.0.0.1', 'localhost'].includes(new URL(href).hostname) ? href : null
}

export interface Segment {
  text: string
  href: string | null
}

const LINK = /https?:\/\/[^\s<>"'，。；！？、）】》“”‘’]+/gi

/** Splits a text into plain pieces and links. */
export function segments(text: string): Segment[] {
  const found: Segment[] = []
  let from = 0
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(/[.,;:!?)\]]+$/, '')
    if (match.index > from) found.push({ text: text.slice(from, match.index), href: null })
    found.push({ text: address, href: safeHref(address) })
    from = match.index + address.length
  }
  if (from < text.length) found.push({ text: text.slice(from), href: null })
  return found
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`
  if (size < 1024 * 1024) return `${Math.round(size / 1024)} KB`
  const mega = size / 1024 / 1024
  return `${mega < 10 ? mega.toFixed(1) : Math.round(mega)} MB`
}

/** One or two characters for an avatar: the surname of a Chinese name, the initials of others. */
export function initials(name: string): string {
  const trimmed = name.trim()
  if (!trimmed) return '客'
  const first = [...trimmed][0] ?? ''
  if (/\p{Script=Han}/u.test(first)) return first
  const words = trimmed.split(/\s+/)
  const second = words.length > 1 ? ([...(words[1] ?? '')][0] ?? '') : ''
  return (first + (/[a-z]/i.test(second) ? second : '')).toUpperCase()
}

/** The first two Han characters, for accounts: 售前, 旗舰. */
export function shortName(name: string): string {
  const characters = [...name.trim()]
  const han = /\p{Script=Han}/u.test(characters[0] ?? '')
  return han ? characters.slice(0, 2).join('') : initials(name)
}

const HUES = ['#3b6fd4', '#7a5fce', '#25806a', '#b4562c', '#b04c77', '#557389', '#86691f', '#2a7c9c', '#8c5a4a', '#537c32']

/** The same colour for the same name, dark enough for white letters. */
export function colorFor(seed: string): string {
  let sum = 7
  for (const character of seed) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return HUES[sum % HUES.length] ?? '#3b6fd4'
}

export const str = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
