import { ApiError } from '@/api/client'
import type { Macro, MacroAction } from '@/api/compose'
import { useInbox } from '@/stores/inbox'
import { useLabels } from '@/stores/labels'
import { useLibrary } from '@/stores/library'
import { useNotices } from '@/stores/notices'
import { usePeople } from '@/stores/people'
import { useWords } from '@/ui/words'

/** Macros in words, and at work: what was done is said, and what was not, with the reason. */
export function useMacros() {
  const { t, problem, titleOf } = useWords()
  const library = useLibrary()
  const notices = useNotices()
  const people = usePeople()
  const labels = useLabels()
  const inbox = useInbox()

  function act(action: MacroAction): string {
    const names = (action.label_ids ?? []).map((id) => labels.byId.get(id)?.name ?? '?').join(' · ')
    switch (action.kind) {
      case 'label':
      case 'unlabel':
        return t(`compose.act.${action.kind}With`, { names })
      case 'assign':
        return t('compose.act.assignTo', { name: people.nameOf(action.agent_id ?? null) || '?' })
      case 'snooze':
        return action.hours ? t('compose.act.snoozeFor', { n: action.hours }) : t('compose.act.snoozeUntilReply')
      default:
        return t(`compose.act.${action.kind}`)
    }
  }

  const outline = (macro: Macro): string => macro.actions.map(act).join(' → ')

  async function run(macro: Macro, conversationIds: number[]): Promise<boolean> {
    try {
      const result = await library.run(macro, conversationIds)
      if (result.failed === 0) notices.say('good', t('compose.ran', { name: macro.name, n: result.done }))
      for (const one of result.outcomes.filter((outcome) => !outcome.done).slice(0, 3)) {
        const held = inbox.held.get(one.conversation_id)
        const why = problem(new ApiError(409, one.code, one.detail))
        notices.say('bad', t('compose.notRan', { name: macro.name, who: held ? titleOf(held) : one.conversation_id, why }))
      }
      return result.failed === 0
    } catch (error) {
      notices.say('bad', problem(error))
      return false
    }
  }

  return { act, outline, run }
}
