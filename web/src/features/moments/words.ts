import '@/i18n/late/moments'
import type { MomentChannels, MomentPostState } from '@/api/moments'
import type { DraftContent } from '@/features/codes/draft'
import { useCampaignWords } from '@/features/campaigns/words'

/** What became of members, in the order of the bar. */
export const MEMBER_STATES = ['published', 'asked', 'planned', 'refused', 'failed', 'uncertain', 'withdrawn'] as const
export const MEMBER_TONE: Record<MomentPostState, string> = {
  published: 'green', asked: 'accent', planned: '', refused: 'red', failed: 'red', uncertain: 'amber', withdrawn: '',
}

export function useMomentWords() {
  const words = useCampaignWords()
  const { t } = words

  /** What of it cannot be posted there. */
  function troubles(content: DraftContent, channel: MomentChannels['channels'][number], variables: string[]): string[] {
    const kinds = content.parts.map((part) => part.kind)
    const mixed = new Set(kinds).size > 1
    const names = [...content.text.matchAll(/\{\{\s*([a-z_.]+)\s*\}\}/g)].map((one) => one[1] ?? '').filter((name) => !variables.includes(name))
    const long = [...content.text].length > channel.text_limit || new TextEncoder().encode(content.text).length > channel.text_bytes
    return [
      ...(long ? [t('moments.trouble.too_long')] : []),
      ...(kinds.some((kind) => !['image', 'video', 'link'].includes(kind)) ? [t('moments.trouble.kind')] : mixed ? [t('moments.trouble.mixed')] : []),
      ...(!mixed && kinds.length > 1 && kinds[0] !== 'image' ? [t('moments.trouble.too_many')] : []),
      ...(content.parts.some((part) => part.kind === 'link' && !part.url) ? [t('moments.trouble.cover')] : []),
      ...(kinds.length > channel.pictures ? [t('moments.trouble.pictures', { n: channel.pictures })] : []),
      ...(names.length > 0 ? [t('moments.trouble.variable', { names: names.join(' ') })] : []),
    ]
  }
  return { ...words, troubles }
}
