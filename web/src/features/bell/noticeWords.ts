import type { NotificationView } from '@/api/types'
import { NOTICE_KINDS } from '@/stores/bell'
import { usePeople } from '@/stores/people'
import { str } from '@/ui/text'
import { useWords } from '@/ui/words'

/** Those that can be about many at once. */
const MANY = new Set(['customer_given', 'customer_shared', 'customer_falling', 'customer_lost', 'handed_over'])

/** A notice as a sentence, and what it is about in the words of those concerned. */
export function useNoticeWords() {
  const { t, say, language } = useWords()
  const people = usePeople()
  const known = new Set<string>(NOTICE_KINDS)

  function headline(notice: NotificationView): string {
    const who = people.nameOf(notice.by_agent_id) || t('thread.somebody')
    const title = notice.title || (/^(campaign|moment)_/.test(notice.kind) && str(notice.data.name)) || t('together.notice.somebody')
    const n = Number(notice.data.count ?? 1)
    if (notice.kind === 'task_due' && n > 1) return t('followups.notice.late', { n })
    if (notice.kind === 'task_given' && n > 1) return t('followups.notice.given', { who, n })
    if (notice.kind.startsWith('task_') && !notice.title) return t(`followups.notice.${notice.kind}`, { who })
    if (notice.kind === 'mention' && notice.conversation_id === null) return t('followups.notice.mention', { who, title })
    if (notice.kind === 'member_left') return t('together.notice.text.member_left', { name: str(notice.data.name), customers: Number(notice.data.customers ?? 0), groups: Number(notice.data.groups ?? 0) })
    if (notice.kind === 'alert') return t('together.notice.text.alert', { title: alertTitle(notice) })
    if (notice.kind === 'invites_today') return t('together.notice.text.invites_today', { n: Number(notice.data.n ?? 1) })
    if (notice.kind.startsWith('quality_')) return t(`together.notice.text.${notice.kind}`, { who, n: Number(notice.data.percent ?? 0) })
    if (n > 1 && MANY.has(notice.kind)) return t(`owners.notice.${notice.kind}`, { who, n })
    return t(`together.notice.text.${known.has(notice.kind) ? notice.kind : 'other'}`, { who, title })
  }

  const alertTitle = (notice: NotificationView): string => {
    const title = (notice.data.title ?? {}) as Record<string, string>
    return title[language()] ?? title['zh-CN'] ?? ''
  }

  /** What it is about, or why it came. */
  function details(notice: NotificationView): string {
    const why = notice.data.why as { zh: string; en: string } | undefined
    if (notice.kind === 'campaign_missed' && why) return say(why)
    if (notice.kind === 'moment_reminder') return t('together.notice.publish')
    if (notice.kind === 'alert') return notice.title
    return notice.text || str(notice.data.note)
  }

  return { headline, details }
}
