import { computed, onBeforeUnmount, ref } from 'vue'
import { onBeforeRouteLeave, useRoute, useRouter } from 'vue-router'
import { campaignsApi, type Campaign, type NewCampaign } from '@/api/campaigns'
import { isWhole } from '@/features/lists/filterWords'
import { useNotices } from '@/stores/notices'
import { emptyDraft, fromCampaign, mergeDraft, saidNothing, toInput, type Draft } from './draft'
import { useCampaignWords } from './words'

interface Writing {
  kind: NonNullable<NewCampaign['kind']>
  /** Where one of this kind is written. */
  path: (id: number) => string
  /** What it is called while it has no name. */
  untitled: string
  kept?: () => void
}

/** A campaign while it is written: kept with each step, submitted at the end, not left by mistake. */
export function useEditor({ kind, path, untitled, kept: onKept }: Writing) {
  const { t, problem, zone } = useCampaignWords()
  const route = useRoute()
  const router = useRouter()
  const notices = useNotices()
  const draft = ref<Draft>(emptyDraft(zone.value))
  const held = ref<Campaign | null>(null)
  const kept = ref('')
  const busy = ref(false)
  const token = crypto.randomUUID()

  const id = computed(() => Number(route.params.id) || 0)
  const print = (one: Draft): string => JSON.stringify(toInput(one))
  const dirty = computed(() => print(draft.value) !== kept.value)
  const whole = computed(() => isWhole(draft.value.audience.filter) && (draft.value.audience.exclude.filter === null || isWhole(draft.value.audience.exclude.filter)))
  const nothing = computed(() => saidNothing(draft.value.post) && Object.values(draft.value.variants).every(saidNothing))

  /** As it is now is as it is kept. */
  const settle = (): void => void (kept.value = print(draft.value))
  /** One of another kind is written elsewhere. */
  function take(one: Campaign): void {
    if (one.kind !== kind) {
      settle()
      return void router.replace(one.kind === 'moment' ? `/campaigns/moments/${one.id}/edit` : `/campaigns/${one.id}/edit`)
    }
    held.value = one
    draft.value = fromCampaign(one)
    settle()
  }

  /** Only what was changed: a new name alone takes nothing back to a draft. */
  function changed(input: ReturnType<typeof toInput>): Partial<typeof input> {
    const before = JSON.parse(kept.value) as Record<string, unknown>
    return Object.fromEntries(Object.entries(input).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key])))
  }
  /** Only its name is another one. */
  const renamed = computed(() => dirty.value && kept.value !== '' && print({ ...draft.value, name: '' }) === JSON.stringify({ ...(JSON.parse(kept.value) as object), name: '' }))

  /** Returns whether it is kept. */
  async function keep(aloud = false): Promise<boolean> {
    if (!whole.value) return notices.say('bad', t('campaigns.audience.unfinished')), false
    if (held.value && !dirty.value) return true
    busy.value = true
    try {
      const input = { ...toInput(draft.value), name: draft.value.name.trim() || untitled }
      const sent = JSON.parse(JSON.stringify(draft.value)) as Draft
      const before = held.value
      const one = before ? await campaignsApi.change(before.id, { version: before.version, ...changed(input) }) : await campaignsApi.add({ client_token: token, kind, ...input })
      // Who goes on writing while it is saved loses nothing of it.
      const meanwhile = draft.value
      take(one)
      if (print(meanwhile) !== print(sent)) draft.value = mergeDraft(meanwhile, sent, draft.value)
      onKept?.()
      if (!before) await router.replace(path(one.id))
      if (aloud) notices.say('good', t('campaigns.kept'))
      return true
    } catch (error) {
      notices.say('bad', problem(error))
      return false
    } finally {
      busy.value = false
    }
  }

  async function submit(): Promise<void> {
    if (!(await keep()) || !held.value) return
    busy.value = true
    try {
      const one = await campaignsApi.submit(held.value.id, held.value.version)
      settle()
      notices.say('good', t(one.state === 'waiting' ? 'campaigns.submitted.waiting' : 'campaigns.submitted.scheduled'))
      await router.push(`/campaigns/${one.id}`)
    } catch (error) {
      notices.say('bad', problem(error))
    } finally {
      busy.value = false
    }
  }
  function warn(event: BeforeUnloadEvent): void {
    if (kept.value !== '' && dirty.value) event.preventDefault()
  }
  window.addEventListener('beforeunload', warn)
  onBeforeUnmount(() => window.removeEventListener('beforeunload', warn))
  onBeforeRouteLeave(() => !dirty.value || busy.value || window.confirm(t('campaigns.leave')))

  return { draft, held, busy, id, dirty, renamed, whole, nothing, settle, take, keep, submit }
}
