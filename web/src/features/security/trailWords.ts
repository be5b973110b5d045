import type { TrailLine } from '@/api/rights'
import { roleName } from '@/features/roles/names'
import { usePeople } from '@/stores/people'
import { useI18n } from 'vue-i18n'

/** What acts are about, as their names begin. */
export const AREAS = ['session', 'second_factor', 'identity', 'agent', 'role', 'team', 'token', 'company', 'setting', 'customer', 'message', 'connection', 'account', 'rule', 'quick_reply', 'material', 'macro', 'label', 'campaign', 'campaign_content', 'campaign_list', 'archive', 'payments', 'money', 'search', 'audit_rule', 'alert', 'evidence', 'quality_sheet', 'quality_plan', 'quality_sample', 'words', 'topic', 'conversation', 'reason', 'trail', 'report', 'handover', 'retention', 'hold', 'erasure', 'person'] as const

/** Lines of the trail as sentences. An act without words of its own is put together from what was done to what. */
export function useTrailWords() {
  const { t, te } = useI18n()
  const people = usePeople()

  function actionText(line: TrailLine): string {
    const [noun = '', verb = ''] = line.action.split('.')
    const own = `rights.did.${noun}_${verb}`
    if (te(own)) return t(own)
    const what = te(`rights.trail.area.${noun}`) ? t(`rights.trail.area.${noun}`) : noun
    return te(`rights.verb.${verb}`) ? t(`rights.verb.${verb}`, { what }) : `${what} · ${verb}`
  }

  function objectText(line: TrailLine): string {
    if (line.object_kind === 'agent' && line.object_id !== line.agent_id) return people.nameOf(line.object_id)
    if (line.object_kind === 'customer' || line.object_kind === 'message' || line.object_kind === 'conversation' || line.object_kind === 'hold') return `#${line.object_id}`
    return ''
  }

  function detailText(line: TrailLine): string {
    const { login, role, name, fields, why, left, external_id, permissions, q } = line.detail as Record<string, unknown>
    const parts = [
      typeof name === 'string' ? name : '',
      typeof login === 'string' ? t('rights.trail.login', { login }) : '',
      typeof role === 'string' ? roleName(t, role) : '',
      typeof external_id === 'string' ? external_id : '',
      Array.isArray(fields) ? fields.join(', ') : '',
      Array.isArray(permissions) ? permissions.map((one) => (te(`rights.may.${one}`) ? t(`rights.may.${one}`) : String(one))).join(' · ') : '',
      typeof why === 'string' ? why : '',
      typeof q === 'string' ? q : '',
      typeof left === 'number' ? t('rights.second.left', { n: left }) : '',
    ]
    return parts.filter(Boolean).join(' · ')
  }

  return { actionText, objectText, detailText }
}
