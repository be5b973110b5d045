import { computed, type Ref } from 'vue'
import { compose } from '@/api/compose'
import type { ConversationView } from '@/api/types'
import { seenSeqOf } from '@/model/collision'
import { textPiece, requestPart, variablesIn, type Piece } from '@/model/pieces'
import { ordered } from '@/model/thread'
import { newToken } from '@/model/token'
import { hasLink, measure, writability } from '@/model/writability'
import { useAccounts } from '@/stores/accounts'
import { useClock } from '@/stores/clock'
import { useDrafts } from '@/stores/drafts'
import { useOutbox } from '@/stores/outbox'
import { useScheduled } from '@/stores/scheduled'
import { useSession } from '@/stores/session'
import { useThreads } from '@/stores/threads'
import { useTrays } from '@/stores/trays'
import { useWords } from '@/ui/words'

/** What may be sent in a conversation, what is missing for it, and sending it: now, or later. */
export function useAnswering(conversation: () => ConversationView, missing: Ref<string[]>) {
  const { t, attempt } = useWords()
  const accounts = useAccounts()
  const clock = useClock()
  const drafts = useDrafts()
  const outbox = useOutbox()
  const scheduled = useScheduled()
  const session = useSession()
  const threads = useThreads()
  const trays = useTrays()

  const id = computed(() => conversation().id)
  const channel = computed(() => accounts.channelOf(conversation()))
  const tray = computed(() => trays.of(id.value))
  const text = computed({
    get: () => drafts.of(id.value),
    set: (value: string) => drafts.set(id.value, value),
  })

  const may = computed(() =>
    writability({
      conversation: conversation(),
      channel: channel.value,
      accountDisabled: accounts.accountById.get(conversation().account_id)?.disabled ?? false,
      mayReply: session.can('inbox.reply'),
      underWay: outbox.entries
        .filter((entry) => entry.conversationId === id.value && entry.state !== 'refused' && !entry.note)
        .reduce((sum, entry) => sum + (entry.pieces?.length ?? 1), 0),
      now: clock.second,
    }),
  )

  const limit = computed(() => channel.value?.text_limit ?? 2000)
  const unit = computed(() => channel.value?.text_limit_unit ?? 'characters')
  const pieceTexts = computed(() => tray.value.items.flatMap((item) => (item.type === 'piece' && item.piece.kind === 'text' ? [item.piece.text] : [])))
  const texts = computed(() => [...pieceTexts.value, text.value])
  const length = computed(() => measure(text.value.trim(), unit.value))
  const tooLong = computed(() => texts.value.some((one) => measure(one.trim(), unit.value) > limit.value))
  const linkForbidden = computed(() => channel.value?.links_allowed === false && texts.value.some(hasLink))
  /** Names without a value that still stand in the words. */
  const holes = computed(() => missing.value.filter((name) => texts.value.some((one) => variablesIn(one).includes(name))))
  const wrongKind = computed(() =>
    tray.value.items.find((item) => item.type === 'piece' && channel.value !== undefined && !channel.value.sends.includes(item.piece.kind)),
  )
  const left = computed(() => (may.value.state === 'open' || may.value.state === 'soon' ? may.value.left : Number.POSITIVE_INFINITY))
  const count = computed(() => tray.value.items.length + (text.value.trim() ? 1 : 0))
  const uploaded = computed(() => tray.value.items.every((item) => item.type === 'piece' || item.done !== null))
  const empty = computed(() => count.value === 0 || pieceTexts.value.some((one) => !one.trim()))
  const ready = computed(
    () =>
      may.value.state !== 'closed' &&
      !empty.value &&
      count.value <= left.value &&
      !tooLong.value &&
      !linkForbidden.value &&
      holes.value.length === 0 &&
      wrongKind.value === undefined &&
      uploaded.value,
  )

  /** What waits, in order: the tray, then the words. The field is empty before anything can be pressed again. */
  function take(): { pieces: Piece[]; quickReplyId: number | null } | null {
    if (!ready.value) return null
    const words = text.value.trim()
    const taken = trays.take(id.value)
    if (!taken) return null
    text.value = ''
    missing.value = []
    return { pieces: [...taken.pieces, ...(words ? [textPiece(words)] : [])], quickReplyId: taken.quickReplyId }
  }

  /** The newest message in sight: an answer of a colleague after it stops the send. */
  function seenSeq(): number {
    const thread = threads.threads.get(id.value)
    return (thread ? seenSeqOf(ordered(thread), session.agentId, clock.second) : null) ?? conversation().last_seq
  }

  /** False: there is nothing that can be sent. */
  function send(then?: 'close'): boolean {
    const taken = take()
    if (!taken) return false
    const { pieces, quickReplyId } = taken
    const [only] = pieces
    const shared = { conversationId: id.value, quickReplyId, seenSeq: seenSeq(), then }
    if (pieces.length === 1 && only) {
      outbox.send({ ...shared, kind: only.kind, text: only.text, content: only.content, source: only.source, attachment: only.file })
    } else outbox.send({ ...shared, kind: 'text', text: '', pieces })
    return true
  }

  /** What cannot be planned stays where it was typed. */
  async function later(due_at: string): Promise<void> {
    const conversationId = id.value
    const words = text.value
    const pieces = tray.value.items.map((item): Piece | null => {
      if (item.type === 'piece') return item.piece
      return item.done ? { kind: item.kind, text: '', content: {}, source: { attachment_id: item.done.id }, file: item.done } : null
    })
    if (words.trim()) pieces.push(textPiece(words.trim()))
    const parts = pieces.flatMap((piece) => (piece ? [requestPart(piece)] : []))
    const body = { client_token: newToken(), due_at, parts, quick_reply_id: tray.value.quickReplyId }
    const done = await attempt(() => compose.schedule(conversationId, body), t('compose.planned'))
    if (!done) return
    trays.clear(conversationId)
    if (drafts.of(conversationId) === words) drafts.set(conversationId, '')
    await scheduled.load(conversationId).catch(() => undefined)
  }

  return { channel, tray, text, may, limit, unit, length, tooLong, linkForbidden, holes, wrongKind, left, count, ready, send, later }
}
