import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { ApiError } from '@/api/client'
import { whole, type Customer, type CustomerChange } from '@/api/whole'
import { useCustomerWatch } from '@/stores/customerWatch'
import { useNotices } from '@/stores/notices'
import { useWords } from '@/ui/words'

/** One customer in sight: read, kept fresh by pushes, changed with its version. */
export function useCustomer(id: Ref<number>) {
  const customer = shallowRef<Customer | null>(null)
  const failure = ref<unknown>(null)
  const missing = computed(() => failure.value instanceof ApiError && failure.value.status === 404)
  const notices = useNotices()
  const { t } = useWords()
  let asked = 0

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

  /** Raises what the service refuses; a conflict shows the newest first. */
  async function change(values: CustomerChange): Promise<void> {
    const held = customer.value
    if (!held) return
    try {
      customer.value = await whole.change(held.id, { ...values, version: held.version })
    } catch (error) {
      if (error instanceof ApiError && error.code === 'changed_meanwhile') {
        await read()
        notices.say('bad', t('whole.profile.conflict'))
        return
      }
      throw error
    }
  }

  watch(
    id,
    () => {
      customer.value = null
      failure.value = null
      void read()
    },
    { immediate: true },
  )
  onScopeDispose(useCustomerWatch().follow(() => [id.value, customer.value?.id ?? id.value], () => void read()))
  return { customer, failure, missing, read, change }
}
