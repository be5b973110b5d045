import '@/i18n/late/campaigns'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { CampaignRun, CampaignState, Schedule } from '@/api/campaigns'
import { moment } from '@/model/zone'
import { useSession } from '@/stores/session'
import { useWords } from '@/ui/words'

/** Each state in its colour: amber waits for somebody, accent is on its way, green has ended well. */
export const TONE: Record<CampaignState, string> = {
  draft: '', waiting: 'amber', scheduled: 'accent', running: 'accent', paused: 'amber', done: 'green', cancelled: '',
}
/** What became of recipients, in the order of the bar. */
export const OUTCOMES = ['sent', 'asked', 'sending', 'planned', 'failed', 'uncertain', 'skipped', 'cancelled'] as const
/** Of those that are still open, nothing is final yet. */
const OPEN = ['planned', 'sending', 'asked'] as const

export function finished(run: CampaignRun): number {
  const open = OPEN.reduce((sum, state) => sum + (run.counts[state] ?? 0), 0)
  return run.total > 0 ? Math.round(((run.total - open) / run.total) * 100) : 0
}

export function useCampaignWords() {
  const words = useWords()
  const session = useSession()
  const { te } = useI18n()
  const zone = computed(() => session.me?.zone ?? 'Asia/Shanghai')
  const when = (iso: string): string => moment(Date.parse(iso), Date.now(), zone.value, words.language())
  const count = (n: number): string => n.toLocaleString(words.language())

  function scheduleWords(schedule: Schedule): string {
    const { t } = words
    if (schedule.mode === 'now') return t('campaigns.time.nowWords')
    if (schedule.mode === 'at') return schedule.at ? when(schedule.at) : '—'
    if (!schedule.calendar) return t('campaigns.time.cronWords', { cron: schedule.cron ?? '' })
    const { every, days, time } = schedule.calendar
    const names = (days ?? []).map((day) => (every === 'week' ? t(`codes.day.${day}`) : day === -1 ? t('campaigns.time.lastDay') : String(day)))
    return `${t(`campaigns.time.every.${every}`)} ${names.join(' ')} ${time}`.replace(/\s+/g, ' ')
  }
  /** Why: of a dry run, of a delivery, or of a platform that has words of its own. */
  const reasonWords = (code: string): string => (te(`campaigns.reason.${code}.name`) ? words.t(`campaigns.reason.${code}.name`) : te(`campaigns.because.${code}`) ? words.t(`campaigns.because.${code}`) : words.t('campaigns.because.other'))
  return { ...words, reasonWords, zone, when, count, scheduleWords }
}
