import type { EventView } from '@/api/types'
import { useLabels } from '@/stores/labels'
import { usePeople } from '@/stores/people'
import { useSession } from '@/stores/session'
import { duration, fullTime } from '@/ui/time'
import { useWords } from '@/ui/words'

/** What happened, as a sentence: who did what, and why. */
export function useEventWords() {
  const { t, say, language } = useWords()
  const people = usePeople()
  const session = useSession()
  const labels = useLabels()

  const ids = (value: unknown): number[] => (Array.isArray(value) ? value.filter((one): one is number => typeof one === 'number') : [])

  function person(id: unknown, as: 'subject' | 'object' = 'object'): string {
    if (typeof id !== 'number') return t('together.event.service')
    if (id === session.agentId) return t(as === 'subject' ? 'together.event.you' : 'together.event.youObject')
    return people.nameOf(id) || t('thread.somebody')
  }

  const persons = (value: unknown): string => ids(value).map((id) => person(id)).join(t('together.comma'))
  const names = (value: unknown): string =>
    ids(value).map((id) => labels.byId.get(id)?.name ?? t('together.event.oldLabel')).join(t('together.comma'))

  function sentence(event: EventView): string {
    const { kind, data } = event
    const who = person(event.agent_id, 'subject')
    switch (kind) {
      case 'closed':
        return t(data.by === 'bulk' ? 'together.event.closedBulk' : data.by === 'macro' ? 'together.event.closedMacro' : 'together.event.closed', { who })
      case 'reopened':
        return data.by === 'customer' ? t('together.event.reopenedByCustomer') : t('together.event.reopened', { who })
      case 'assigned':
        if (event.agent_id === null) return t('together.event.assignedByService', { to: person(data.to) })
        if (event.agent_id === data.to) return t('together.event.taken', { who })
        return t('together.event.assigned', { who, to: person(data.to) })
      case 'unassigned':
        return t('together.event.unassigned', { who })
      case 'transfer_asked':
        return t('together.event.transferAsked', { who, to: person(data.to) })
      case 'transfer_accepted':
        return t('together.event.transferAccepted', { who, from: person(data.from) })
      case 'transfer_declined':
        return t('together.event.transferDeclined', { who, from: person(data.from) })
      case 'transfer_cancelled':
        return t('together.event.transferCancelled', { from: person(data.from), to: person(data.to) })
      case 'answered': {
        const time = typeof data.seconds === 'number' ? duration(data.seconds * 1000, language(), true) : ''
        return t(data.first ? 'together.event.answeredFirst' : 'together.event.answered', { who, time })
      }
      case 'snoozed':
        return typeof data.until === 'string'
          ? t('together.event.snoozedUntil', { who, time: fullTime(data.until, language()) })
          : t('together.event.snoozed', { who })
      case 'woke':
        if (data.by === 'agent') return t('together.event.wokeByAgent', { who })
        return t(data.by === 'customer' ? 'together.event.wokeByCustomer' : 'together.event.wokeByTime')
      case 'labelled': {
        const added = names(data.added)
        const removed = names(data.removed)
        if (added && removed) return t('together.event.relabelled', { who, added, removed })
        return added ? t('together.event.labelled', { who, added }) : t('together.event.unlabelled', { who, removed })
      }
      case 'helpers': {
        const added = persons(data.added)
        if (added) return t(data.because === 'mention' ? 'together.event.helperByMention' : 'together.event.helperAdded', { who, added })
        const left = ids(data.removed)
        if (left.length === 1 && left[0] === event.agent_id) return t('together.event.helperLeft', { who })
        return t('together.event.helperRemoved', { who, removed: persons(data.removed) })
      }
      case 'sla_started':
        return t('together.event.slaStarted', { time: typeof data.due_at === 'string' ? fullTime(data.due_at, language()) : '' })
      case 'survey_answered':
        return t('together.event.surveyAnswered', { score: typeof data.score === 'number' ? data.score : '' })
      case 'scheduled':
      case 'schedule_changed':
        return t(`compose.event.${kind}`, { who, time: typeof data.due_at === 'string' ? fullTime(data.due_at, language()) : '' })
      case 'schedule_cancelled':
      case 'schedule_sent':
      case 'schedule_failed':
        return t(`compose.event.${kind}`, { who })
      case 'opened':
      case 'queued':
      case 'sla_met':
      case 'sla_breached':
      case 'auto_replied':
      case 'survey_sent':
        return t(`together.event.plain.${kind}`)
      default:
        return kind
    }
  }

  /** The reason, or what was said with it. */
  function why(event: EventView): string {
    const { why: reason, note } = event.data
    if (typeof note === 'string' && note) return t('together.event.said', { text: note })
    return reason && typeof reason === 'object' ? say(reason as { zh: string; en: string }) : ''
  }

  return { sentence, why, person }
}
