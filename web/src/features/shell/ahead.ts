import type { Router } from 'vue-router'

/** After the first view has settled. */
const AFTER = 5000

interface Connection {
  saveData?: boolean
  effectiveType?: string
}

/**
 * Loads the other pages while nothing else happens, one at a time, so that they open at once: those the reader may open, and
 * none on a connection that is slow or paid by the byte.
 */
export function loadAhead(router: Router, can: (permission: string) => boolean): () => void {
  const connection = (navigator as { connection?: Connection }).connection
  if (connection?.saveData || /2g/.test(connection?.effectiveType ?? '')) return () => undefined
  const waiting = router
    .getRoutes()
    .filter((route) => !route.meta.public && (!route.meta.permission || can(route.meta.permission)))
    .map((route) => route.components?.default as unknown)
    .filter((component): component is () => Promise<unknown> => typeof component === 'function')
  let timer = setTimeout(next, AFTER)
  let idle = 0

  function next(): void {
    const load = waiting.shift()
    if (!load) return
    const act = (): void => {
      // A page that cannot be loaded now is loaded, or explained, when it is opened.
      void Promise.resolve(load())
        .catch(() => undefined)
        .then(() => {
          timer = setTimeout(next, 300)
        })
    }
    if ('requestIdleCallback' in window) idle = requestIdleCallback(act)
    else act()
  }

  return () => {
    clearTimeout(timer)
    if ('cancelIdleCallback' in window) cancelIdleCallback(idle)
  }
}
