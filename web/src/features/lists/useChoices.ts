import { computed, shallowRef } from 'vue'
import { api } from '@/api'
import { lists, type FieldView, type SegmentView } from '@/api/lists'
import { useAccounts } from '@/stores/accounts'
import { usePeople } from '@/stores/people'
import { useSession } from '@/stores/session'
import { useStages } from '@/stores/stages'
import { useWords } from '@/ui/words'
import { knownFields, type KnownField } from './known'

export interface Option {
  value: number | string
  title: string
  group?: string
}

const fields = shallowRef<FieldView[]>([])
const segments = shallowRef<SegmentView[]>([])
const teams = shallowRef<{ id: number; name: string }[]>([])

/** What conditions may be about and what their values are called. Read once for the page. */
export function useChoices() {
  const { t, say } = useWords()
  const stages = useStages()
  const people = usePeople()
  const accounts = useAccounts()
  const session = useSession()

  async function load(): Promise<void> {
    const [own, some, staff] = await Promise.all([
      lists.fields(),
      lists.segments(),
      session.can('agents.read') ? api.teams() : Promise.resolve({ teams: [] }),
      stages.need(),
      people.agents.length ? Promise.resolve() : people.load(),
      // Who has no part in the inbox does without the accounts' names.
      accounts.loaded ? Promise.resolve() : accounts.load().catch(() => undefined),
    ])
    fields.value = own.fields
    segments.value = some.segments
    teams.value = staff.teams
  }

  const known = computed(() => knownFields(fields.value))
  const byKey = computed(() => new Map(known.value.map((one) => [one.key, one])))
  const titleOf = (field: KnownField): string => field.title ?? t(`lists.field.${field.key}`)

  function optionsOf(field: KnownField): Option[] {
    if (field.custom) return field.custom.choices.filter((one) => !one.archived).map((one) => ({ value: one.key, title: one.name }))
    switch (field.key) {
      case 'stage':
        return stages.offered.map((one) => ({ value: one.id, title: one.name }))
      case 'tags':
        return stages.tags.filter((one) => !one.archived).map((one) => ({ value: one.id, title: one.name, group: one.group }))
      case 'owner':
      case 'created_by':
        return [{ value: 'me', title: t('lists.me') }, ...people.agents.map((one) => ({ value: one.id, title: one.name }))]
      case 'team':
        return teams.value.map((one) => ({ value: one.id, title: one.name }))
      case 'segment':
        return segments.value.map((one) => ({ value: one.id, title: one.name }))
      case 'channel':
        return accounts.channels.map((one) => ({ value: one.channel, title: say(one.title) }))
      case 'account':
        return accounts.accounts.map((one) => ({ value: one.id, title: one.name }))
      case 'gender':
        return [
          { value: 'male', title: t('lists.gender.male') },
          { value: 'female', title: t('lists.gender.female') },
        ]
      default:
        return []
    }
  }

  return { fields, segments, teams, known, byKey, titleOf, optionsOf, load }
}
