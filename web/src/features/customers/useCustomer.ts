import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { ApiError } from '@/api/client'
import { whole, type Customer, type CustomerChange } from '@/api/whole'
import { useCustomerWatch } from '@/stores/customerWatch'
import { useNotices } from '@/stores/notices'
import { useWords } from '@/ui/words'

/** Its fields by name, each of the company's own fields for itself. */
function partsOf(one: Customer | CustomerChange): Record<string, unknown> {
  const { fields, ...rest } = one
  return { ...rest, ...Object.fromEntries(Object.entries(fields ?? {}).map(([key, value]) => [`fields.${key}`, value])) }
}

/** One customer in sight: read, kept fresh by pushes, changed with its version. */
export function useCustomer(id: Ref<number>) {
  const customer = shallowRef<Customer | null>(null)
  const failure = ref<unknown>(null)
  const missing = computed(() => failure.value instanceof ApiError && failure.value.status === 404)
  const notices = useNotices()
  const { t } = useWords()
  let asked = 0
  /** Changes are sent one after another: each with the version that the one before it left. */
  let before: Promise<unknown> = Promise.resolve()
  /** What one's own changes left, by field: no reason for a conflict with oneself. */
  const written = new Map<string, { version: number; value: unknown }>()

  async function read(): Promise<void> {
    const mine = ++asked
    try {
      const found = await whole.customer(id.value)
      if (mine !== asked) return
      customer.value = found
      failure.value = null
    } catch (error) {
      if (mine !== asked) return
      // What is shown stays while the service is away; what is gone or hidden now does not.
      if (!customer.value || !(error instanceof ApiError) || !error.passing) {
        failure.value = error
        customer.value = null
      }
    }
  }

  /** Raises what the service refuses. What others did to other fields meanwhile is no conflict; a real one shows the newest first. */
  function change(values: CustomerChange): Promise<void> {
    const seen = customer.value
    if (!seen) return Promise.resolve()
    const mine = before.then(() => send(values, seen))
    before = mine.catch(() => undefined)
    return mine
  }

  async function send(values: CustomerChange, seen: Customer, again = 3): Promise<void> {
    const held = customer.value?.id === seen.id ? customer.value : seen
    if (touched(values, seen, held)) return conflict()
    try {
      const changed = await whole.change(held.id, { ...values, version: held.version })
      const left = partsOf(changed)
      for (const name of Object.keys(partsOf(values))) written.set(name, { version: changed.version, value: left[name] })
      // What was asked for before is older than this answer.
      asked++
      if (id.value === changed.id || customer.value?.id === changed.id) customer.value = changed
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'changed_meanwhile')) throw error
      if (again === 0) return conflict()
      await read()
      await send(values, seen, again - 1)
    }
  }

  /** Somebody else changed what one wants to change, since one saw it. */
  function touched(values: CustomerChange, seen: Customer, now: Customer): boolean {
    const was = partsOf(seen)
    const is = partsOf(now)
    return Object.keys(partsOf(values)).some((name) => {
      const own = written.get(name)
      return JSON.stringify(own && own.version > seen.version ? own.value : was[name]) !== JSON.stringify(is[name])
    })
  }

  async function conflict(): Promise<void> {
    await read()
    notices.say('bad', t('whole.profile.conflict'))
  }

  watch(
    id,
    () => {
      customer.value = null
      failure.value = null
      written.clear()
      void read()
    },
    { immediate: true },
  )
  onScopeDispose(useCustomerWatch().follow(() => [id.value, customer.value?.id ?? id.value], () => void read()))
  return { customer, failure, missing, read, change }
}
