import type { Conditions, Span } from '@/api/flow'
import type { Language } from '@/api/types'
import { useAccounts } from '@/stores/accounts'
import { useLabels } from '@/stores/labels'
import { useWords } from '@/ui/words'

export const LANGUAGES = ['zh', 'en', 'ja', 'ko', 'ru', 'ar', 'th'] as const
export const emptyConditions = (): Conditions => ({ account_ids: [], channels: [], label_ids: [], languages: [], hours: 'any', returning: null })

/** 540 as 09:00; 1440 as 24:00. */
export function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

/** The minute of a day; null for what is no time. */
export function minuteOf(text: string): number | null {
  const found = /^(\d{1,2})[:：](\d{2})$/.exec(text.trim())
  if (!found) return null
  const minute = Number(found[1]) * 60 + Number(found[2])
  return Number(found[2]) < 60 && minute <= 1440 ? minute : null
}

export function spansText(spans: readonly Span[]): string {
  return spans.map((span) => `${clock(span.start)}–${clock(span.end)}`).join(' ')
}

/** "09:00-12:00, 13:30-18:00" as spans; null where it cannot be read. */
export function spansOf(text: string): Span[] | null {
  const parts = text.split(/[,，;；、\s]+/).filter(Boolean)
  const spans: Span[] = []
  for (const part of parts) {
    const [from, to, rest] = part.split(/[-–—~至]/)
    const start = minuteOf(from ?? '')
    const end = minuteOf(to ?? '')
    if (start === null || end === null || rest !== undefined || start >= end) return null
    spans.push({ start, end })
  }
  const ordered = spans.sort((a, b) => a.start - b.start)
  const apart = ordered.every((span, n) => n === 0 || (ordered[n - 1]?.end ?? 0) <= span.start)
  return apart ? ordered : null
}

/** A moment as the company's own clock shows it, whatever the reader's. */
export function companyTime(iso: string, zone: string, language: Language): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(new Date(iso))
}

/** Seconds as people say them: 45 秒, 3 分 20 秒, 1 小时 05 分. */
export function useSeconds() {
  const { t } = useWords()
  return (seconds: number | null | undefined): string => {
    if (seconds === null || seconds === undefined) return '—'
    const whole = Math.round(seconds)
    if (whole < 60) return t('flow.time.s', { s: whole })
    if (whole < 3600) return whole % 60 ? t('flow.time.ms', { m: Math.floor(whole / 60), s: whole % 60 }) : t('flow.time.m', { m: whole / 60 })
    return t('flow.time.hm', { h: Math.floor(whole / 3600), m: Math.floor((whole % 3600) / 60) })
  }
}

/** Conditions as short phrases, for a rule's line in its list. */
export function useConditionWords() {
  const { t, say } = useWords()
  const accounts = useAccounts()
  const labels = useLabels()

  function accountNames(ids: readonly number[]): string {
    return ids.map((id) => accounts.accountById.get(id)?.name ?? `#${id}`).join(t('flow.comma'))
  }

  function phrases(conditions: Conditions): string[] {
    const found: string[] = []
    if (conditions.account_ids.length > 0) found.push(accountNames(conditions.account_ids))
    if (conditions.channels.length > 0) {
      const title = (channel: string): string => say(accounts.channels.find((one) => one.channel === channel)?.title) || channel
      found.push(conditions.channels.map(title).join(t('flow.comma')))
    }
    if (conditions.label_ids.length > 0) found.push(t('flow.says.labels', { names: conditions.label_ids.map((id) => labels.byId.get(id)?.name ?? `#${id}`).join(t('flow.comma')) }))
    if (conditions.languages.length > 0) found.push(conditions.languages.map((one) => t(`flow.language.${one}`)).join(t('flow.comma')))
    if (conditions.hours !== 'any') found.push(t(`flow.hoursAre.${conditions.hours}`))
    if (conditions.returning !== null) found.push(t(`flow.returningIs.${conditions.returning ? 'yes' : 'no'}`))
    return found.length > 0 ? found : [t('flow.says.all')]
  }

  return { phrases, accountNames }
}
