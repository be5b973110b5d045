import { useI18n } from 'vue-i18n'
import { ApiError } from '@/api/client'
import type { ConversationView, Language } from '@/api/types'
import { useNotices } from '@/stores/notices'

/** The page's language, sentences that come in both, and errors as sentences. */
export function useWords() {
  const { t, te, locale } = useI18n()
  const notices = useNotices()

  const language = (): Language => (locale.value === 'en' ? 'en' : 'zh-CN')

  function say(sentence: { zh: string; en: string } | string | null | undefined): string {
    if (!sentence) return ''
    if (typeof sentence === 'string') return sentence
    return language() === 'en' ? sentence.en : sentence.zh
  }

  function problem(error: unknown): string {
    if (!(error instanceof ApiError)) return t('error.unknown')
    if (te(`error.code.${error.code}`)) return t(`error.code.${error.code}`)
    if (error.status === 0) return t('error.offline')
    if (error.status === 429) return t('error.busy')
    if (error.status >= 500) return t('error.server')
    if (error.status === 403) return t('error.forbidden')
    if (error.status === 404) return t('error.notFound')
    return error.message || t('error.unknown')
  }

  /** By field: the service explains in English; elsewhere the field is pointed at and the code says why. */
  function fieldProblems(error: unknown): Record<string, string> {
    if (!(error instanceof ApiError)) return {}
    const entries = Object.entries(error.fields).map(([place, sentence]) => {
      const name = place.split('.').at(-1) ?? place
      return [name, language() === 'en' ? sentence : t('form.check')]
    })
    return Object.fromEntries(entries) as Record<string, string>
  }

  /** Runs an action of a person: what goes wrong is told, never swallowed. */
  async function attempt(action: () => Promise<unknown>, done?: string): Promise<boolean> {
    try {
      await action()
      if (done) notices.say('good', done)
      return true
    } catch (error) {
      notices.say('bad', problem(error))
      return false
    }
  }

  function titleOf(conversation: ConversationView): string {
    if (conversation.group) return conversation.group.name || t('inbox.unnamedGroup')
    const contact = conversation.contact
    return contact?.name || t('inbox.unnamedCustomer', { tail: (contact?.external_id ?? '').slice(-4) })
  }

  return { t, language, say, problem, fieldProblems, attempt, titleOf }
}
