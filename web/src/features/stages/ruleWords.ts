import type { AnyRule, Cause, CauseKind, RuleData, RuleKind } from '@/api/stages'
import { useAccounts } from '@/stores/accounts'
import { useStages } from '@/stores/stages'
import { useWords } from '@/ui/words'
import { money } from './money'

/** What can cause a rule of each kind, in the order in which it is offered. */
export const CAUSES: Record<RuleKind, readonly CauseKind[]> = {
  tag: ['said', 'source', 'silent', 'value', 'stage', 'lead_card'],
  stage: ['made', 'replied', 'follow_up', 'tag', 'lead_card', 'source', 'said', 'silent'],
}

/** A cause with nothing chosen yet. */
export function blankCause(on: CauseKind): Cause {
  switch (on) {
    case 'said':
      return { on, words: [], expression: '' }
    case 'source':
      return { on, sources: [], channels: [] }
    case 'silent':
      return { on, days: 30 }
    case 'value':
      return { on, fen: 1_000_000 }
    case 'stage':
      return { on, stage_ids: [] }
    case 'tag':
      return { on, tag_ids: [] }
    case 'follow_up':
      return { on, kinds: [] }
    default:
      return { on }
  }
}

/** Whether there is enough for the service to try it. */
export function complete(data: RuleData): boolean {
  const cause = data.cause as Cause
  const gives = 'tag_ids' in data ? data.tag_ids.length > 0 : data.stage_id > 0
  if (cause.on === 'said') return gives && ((cause.words ?? []).length > 0 || Boolean(cause.expression))
  if (cause.on === 'source') return gives && ((cause.sources ?? []).length > 0 || (cause.channels ?? []).length > 0)
  if (cause.on === 'stage') return gives && cause.stage_ids.length > 0
  if (cause.on === 'tag') return gives && cause.tag_ids.length > 0
  return gives
}

export function useRuleWords() {
  const { t, say, language } = useWords()
  const stages = useStages()
  const accounts = useAccounts()
  const list = (words: readonly string[]): string => words.join(t('flow.comma'))
  const channel = (name: string): string => say(accounts.channelByName.get(name)?.title) || name

  /** When the rule acts, as a sentence. */
  function when(cause: Cause): string {
    switch (cause.on) {
      case 'said':
        return t('stages.rule.whenSaid', { words: list([...(cause.words ?? []).map((word) => `“${word}”`), ...(cause.expression ? [`/${cause.expression}/`] : [])]) })
      case 'source':
        return t('stages.rule.whenSource', { what: list([...(cause.sources ?? []), ...(cause.channels ?? []).map(channel)]) })
      case 'silent':
        return t('stages.rule.whenSilent', { n: cause.days })
      case 'value':
        return t('stages.rule.whenValue', { value: money(cause.fen, language()) })
      case 'stage':
        return t('stages.rule.whenStage', { what: list(cause.stage_ids.map((id) => stages.stageById.get(id)?.name ?? `#${id}`)) })
      case 'tag':
        return t('stages.rule.whenTag', { what: list(cause.tag_ids.map((id) => stages.tagById.get(id)?.name ?? `#${id}`)) })
      default:
        return t(`stages.rule.cause.${cause.on}`)
    }
  }

  /** What it does then. */
  function then(rule: AnyRule): string {
    return 'tag_ids' in rule.data
      ? list(rule.data.tag_ids.map((id) => stages.tagById.get(id)?.name ?? `#${id}`))
      : (stages.stageById.get(rule.data.stage_id)?.name ?? `#${rule.data.stage_id}`)
  }

  return { t, when, then, channel }
}
