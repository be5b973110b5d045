import { useI18n } from 'vue-i18n'
import type { AuditChat, HitMark } from '@/api/finder'
import type { ConversationView } from '@/api/types'
import { useAccounts } from '@/stores/accounts'
import { useWords } from '@/ui/words'

/** How things found are called. */
export function useFinderNames() {
  const { te } = useI18n()
  const { t, titleOf, language, say } = useWords()
  const accounts = useAccounts()

  /** 王敏 ↔ 周航; a group by its name. */
  function chatName(conversation: ConversationView, employee = accounts.accountById.get(conversation.account_id)?.name): string {
    return conversation.group || !employee ? titleOf(conversation) : `${employee} ↔ ${titleOf(conversation)}`
  }

  const channelName = (channel: string): string => say(accounts.channelByName.get(channel)?.title) || channel
  /** `other:name`: what a platform has beyond the kinds that all know. */
  function kindName(whole: string): string {
    const [kind = '', name = ''] = whole.split(':')
    if (name) return te(`finder.other.${name}`) ? t(`finder.other.${name}`) : name
    return plainKind(kind)
  }
  const plainKind = (kind: string): string => (te(`finder.kind.${kind}`) ? t(`finder.kind.${kind}`) : te(`kind.${kind}`) ? t(`kind.${kind}`) : kind)
  const stateName = (state: string): string => (te(`finder.state.${state}`) ? t(`finder.state.${state}`) : state)
  const number = (n: number): string => n.toLocaleString(language())
  const money = (fen: number): string => `¥${(fen / 100).toLocaleString(language(), { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`

  function markText(mark: HitMark): string {
    const amount = typeof mark.amount_fen === 'number' ? money(mark.amount_fen) : ''
    const name = mark.name || (te(`finder.mark.${mark.kind}`) ? t(`finder.mark.${mark.kind}`) : '')
    return [name, amount].filter(Boolean).join(' ')
  }

  const endedText = (ended: NonNullable<AuditChat['ended']>): string => t(`finder.ended.${ended.relation}`)

  return { chatName, channelName, kindName, stateName, number, money, markText, endedText }
}
