import { useSession } from '@/stores/session'
import { onResync } from './resync'

/** The socket is open and pushes flow: connecting and reconnecting are the same from here on. */
export async function onHello(push: { server_time: string }): Promise<void> {
  useSession().noteServerTime(push.server_time)
  await onResync()
}
