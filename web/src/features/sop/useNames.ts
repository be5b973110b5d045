import { reactive } from 'vue'
import { codesApi } from '@/api/codes'
import { lists } from '@/api/lists'
import { useSession } from '@/stores/session'

const names = reactive({ fields: new Map<string, string>(), codes: new Map<number, string>() })

/** What date fields and codes are called, for sentences. Who may not read codes sees their numbers. */
export function useNames() {
  const session = useSession()
  async function load(): Promise<void> {
    const [fields, codes] = await Promise.all([lists.fields().catch(() => null), session.can('codes.manage') ? codesApi.list({ limit: 100 }).catch(() => null) : null])
    names.fields = new Map((fields?.fields ?? []).map((one) => [one.key, one.name]))
    names.codes = new Map((codes?.codes ?? []).map((one) => [one.id, one.name]))
  }
  return Object.assign(names, { load })
}
