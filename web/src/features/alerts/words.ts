import '@/i18n/late/rules'
import { useI18n } from 'vue-i18n'
import type { Alert, Severity } from '@/api/rules'
import { useAccounts } from '@/stores/accounts'
import { useClock } from '@/stores/clock'
import { usePeople } from '@/stores/people'
import { duration, fullTime, listTime } from '@/ui/time'
import { useWords } from '@/ui/words'

/** Red needs a person now, amber soon will. */
export const TONE: Record<Severity, string> = { high: 'red', medium: 'amber', low: '' }

/** Alerts as people read them. */
export function useAlertWords() {
  const words = useWords()
  const { te } = useI18n()
  const { t, language } = words
  const accounts = useAccounts()
  const people = usePeople()
  const clock = useClock()

  /** What comes from elsewhere (`money.single`) is named by where it comes from. */
  const kindName = (kind: string): string => [kind, kind.split('.')[0] ?? ''].map((one) => `rules.kind.${one}`).filter((key) => te(key)).map((key) => t(key))[0] ?? kind
  const titleWords = (alert: Alert): string => alert.title[language()] || alert.title['zh-CN'] || kindName(alert.kind)
  const when = (at: string): string => listTime(at, clock.quarter, language())
  const whole = (at: string): string => fullTime(at, language())
  const money = (fen: number): string => new Intl.NumberFormat(language(), { style: 'currency', currency: 'CNY' }).format(fen / 100)

  /** Whom it is about: the employee, else the account. */
  function who(alert: Alert): string {
    const account = accounts.accountById.get(alert.account_id ?? 0)
    return people.nameOf(alert.agent_id) || account?.name || ''
  }

  function where(alert: Alert): string {
    return alert.conversation ? words.titleOf(alert.conversation) : (accounts.accountById.get(alert.account_id ?? 0)?.name ?? '')
  }

  /** What the rule counted, where it counts something. */
  function told(alert: Alert): string {
    const { seconds, fen, times, minutes, by } = alert.detail as Record<string, number | string | undefined>
    if (typeof seconds === 'number') return t('rules.alerts.detail.seconds', { time: duration(seconds * 1000, language()) })
    if (typeof fen === 'number') return money(fen)
    if (typeof times === 'number') return t('rules.alerts.detail.times', { times, minutes: minutes ?? '' })
    if (by === 'agent') return t('rules.alerts.detail.byAgent')
    if (by === 'customer') return t('rules.alerts.detail.byCustomer')
    return ''
  }

  return { ...words, kindName, titleWords, when, whole, money, who, where, told }
}
