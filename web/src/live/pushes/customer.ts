import { useCustomerWatch } from '@/stores/customerWatch'

/** Something about a customer in sight changed. */
export function onCustomer(push: { customer_id: number }): void {
  useCustomerWatch().take(push.customer_id)
}
