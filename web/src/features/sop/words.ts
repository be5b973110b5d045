import '@/i18n/late/sop'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { SopPlan, SopStep } from '@/api/sop'
import { moment } from '@/model/zone'
import { useSession } from '@/stores/session'
import { useStages } from '@/stores/stages'
import { listed } from '@/ui/text'
import { useWords } from '@/ui/words'

/** Variables of the words of a step. */
export const VARIABLES = ['customer.name', 'agent.name', 'company.name', 'customer.remark', 'customer.city', 'today', 'greeting'] as const

/** What a plan says, in sentences. */
export function useSopWords() {
  const words = useWords()
  const { t } = words
  const { te } = useI18n()
  const session = useSession()
  const stages = useStages()
  const zone = computed(() => session.me?.zone ?? 'Asia/Shanghai')
  const when = (iso: string): string => moment(Date.parse(iso), Date.now(), zone.value, words.language())

  function startWords(start: SopPlan['start'], names: { fields?: Map<string, string>; codes?: Map<number, string> } = {}): string {
    switch (start.on) {
      case 'added': {
        const codes = (start.code_ids ?? []).map((id) => names.codes?.get(id) ?? `#${id}`)
        return codes.length ? t('sop.says.addedBy', { names: listed(codes) }) : t('sop.says.added')
      }
      case 'tag':
        return t('sop.says.tag', { names: listed(start.tag_ids.map((id) => `“${stages.tagById.get(id)?.name ?? `#${id}`}”`)) })
      case 'stage':
        return t('sop.says.stage', { names: listed(start.stage_ids.map((id) => `“${stages.stageById.get(id)?.name ?? `#${id}`}”`)) })
      default: {
        const field = names.fields?.get(start.field) ?? start.field
        const said = start.days_before ? t('sop.says.dateBefore', { field, n: start.days_before }) : t('sop.says.date', { field })
        return said + (start.yearly === false ? '' : t('sop.says.yearly'))
      }
    }
  }
  function timeWords(step: Pick<SopStep, 'days' | 'at' | 'minutes'>): string {
    if (step.at) return `${step.days ? t('sop.dayN', { n: step.days }) : t('sop.sameDay')} ${step.at}`
    const minutes = step.minutes ?? 0
    if (minutes === 0) return t('sop.atOnce')
    return minutes % 60 === 0 ? t('sop.afterHours', { n: minutes / 60 }) : t('sop.afterMinutes', { n: minutes })
  }
  const whyWords = (code: string): string => (te(`sop.why.${code}`) ? t(`sop.why.${code}`) : t('sop.why.other'))
  const reasonWords = (code: string): string => (te(`sop.reason.${code}`) ? t(`sop.reason.${code}`) : code)
  /** Names of values as people call them. */
  const plain = (text: string): string => text.replace(/\{\{\s*([a-z_.]+)\s*\}\}/g, (whole, name: string) => (te(`codes.variable.${name.replace('.', '_')}`) ? `[${t(`codes.variable.${name.replace('.', '_')}`)}]` : whole))
  return { ...words, plain, zone, when, startWords, timeWords, whyWords, reasonWords }
}
