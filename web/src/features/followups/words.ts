import { computed } from 'vue'
import type { QuickMoment, Repeat, Task } from '@/api/followups'
import { moment, toWall } from '@/model/zone'
import { useClock } from '@/stores/clock'
import { useSession } from '@/stores/session'
import { useTasks } from '@/stores/tasks'
import { coarse } from '@/ui/time'
import { useWords } from '@/ui/words'

export const BUILT_IN = ['call', 'visit', 'chat', 'meeting', 'mail', 'other'] as const
export const OUTCOMES = ['reached', 'no_answer', 'interested', 'agreed', 'not_now', 'refused'] as const

/** The words of follow-ups and tasks: kinds, outcomes, and times on the company's wall. */
export function useFollowUpWords() {
  const { t, language } = useWords()
  const tasks = useTasks()
  const clock = useClock()
  const session = useSession()
  const zone = computed(() => session.me?.zone ?? 'Asia/Shanghai')

  const kinds = computed(() => {
    const held = tasks.settings
    return [
      ...BUILT_IN.filter((key) => !held?.hidden.includes(key)).map((key) => ({ key: key as string, name: t(`followups.kind.${key}`) })),
      ...(held?.kinds ?? []).filter((one) => !one.archived).map((one) => ({ key: one.key, name: one.name })),
    ]
  })
  const outcomes = computed(() => [
    ...OUTCOMES.map((key) => ({ key: key as string, name: t(`followups.outcome.${key}`) })),
    ...(tasks.settings?.outcomes ?? []).map((name) => ({ key: name, name })),
  ])

  function kindName(kind: string): string {
    if ((BUILT_IN as readonly string[]).includes(kind)) return t(`followups.kind.${kind}`)
    return tasks.settings?.kinds.find((one) => one.key === kind)?.name ?? t('followups.kind.other')
  }
  const outcomeName = (outcome: string): string => ((OUTCOMES as readonly string[]).includes(outcome) ? t(`followups.outcome.${outcome}`) : outcome)
  const taskText = (task: { text: string }): string => task.text || t('followups.nextDefault')

  /** 今天 18:00; without the clock for what is due some time that day. */
  function when(iso: string, allDay = false): string {
    const said = moment(Date.parse(iso), clock.quarter, zone.value, language())
    return allDay ? said.replace(/ \d\d:\d\d$/, '') : said
  }
  const isLate = (task: Task): boolean => task.state === 'open' && Date.parse(task.due_at) < clock.quarter
  const lateBy = (task: Task): string => t('followups.task.overdueBy', { time: coarseTime(clock.quarter - Date.parse(task.due_at)) })
  function coarseTime(milliseconds: number): string {
    const days = Math.floor(milliseconds / 86_400_000)
    if (days >= 1) return t('followups.days', { n: days })
    return coarse(milliseconds, language())
  }
  /** What a quick moment is called; the day beside it says which one it is. */
  const momentName = (one: QuickMoment): string => t(`followups.moment.${one.key}`)

  function repeatName(repeat: Repeat | null): string {
    if (!repeat) return ''
    if (repeat.kind === 'anniversary') {
      const before = repeat.days_before ?? 0
      return t(before ? 'followups.task.repeats.before' : 'followups.task.repeats.anniversary', { field: tasks.dateFields.find((one) => one.key === repeat.field)?.name ?? t('followups.task.field'), n: before })
    }
    const { every = 1, unit = 'day', until } = repeat
    const known = ({ 'day-1': 'day', 'week-1': 'weekly', 'week-2': 'biweekly', 'month-1': 'month', 'month-3': 'quarter' } as Record<string, string>)[`${unit}-${every}`]
    const what = known ? t(`followups.task.repeats.${known}`) : t('followups.task.repeats.own', { n: every, unit: t(`followups.task.unit.${unit}`) })
    return until ? t('followups.task.until', { what, day: until }) : what
  }
  const wallDay = (iso: string): string => toWall(Date.parse(iso), zone.value).slice(0, 10)

  return { t, language, zone, kinds, outcomes, kindName, outcomeName, taskText, when, isLate, lateBy, momentName, repeatName, wallDay }
}
