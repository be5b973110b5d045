import createClient from 'openapi-fetch'
import type { paths } from './schema'

/** One door to the service: adds the CSRF token, turns every bad outcome into an {@link ApiError}. */

export interface FieldErrors {
  [field: string]: string
}

/**
 * An answer that is not a success. `status` 0 means that no answer came at all (no network, cut connection), so
 * that nobody knows whether the request had an effect.
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly fields: FieldErrors = {},
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail)
  }

  /** Trying again later may work: nothing about the request itself was refused. After `csrf` we have a new token. */
  get passing(): boolean {
    return this.status === 0 || this.code === 'csrf' || this.status === 408 || this.status === 429 || this.status >= 500
  }
}

let csrfToken = ''
let onSignedOut: () => void = () => undefined
let onOtherSession: () => void = () => undefined

export function setCsrfToken(token: string): void {
  csrfToken = token
}

/** Called when the service says that the session is over. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler
}

/** Called when the cookie belongs to another session than we think: somebody signed in anew in another tab. */
export function whenOtherSession(handler: () => void): void {
  onOtherSession = handler
}

let onUndoable: (step: { id: number; kind: string; count: number }) => void = () => undefined

/** Called when the service says that what it just did can be undone. */
export function whenUndoable(handler: typeof onUndoable): void {
  onUndoable = handler
}

let onReasonNeeded: (act: string, objectId: number) => Promise<boolean> = () => Promise.resolve(false)

/** Called when the company wants to know why; true: it was told, and the request is made again. */
export function whenReasonNeeded(handler: typeof onReasonNeeded): void {
  onReasonNeeded = handler
}

/** The same request again, once somebody has said why. Everything else goes through as it is. */
async function asked(request: Request): Promise<Response> {
  const again = request.clone()
  const answer = await globalThis.fetch(request)
  if (answer.status !== 403) return answer
  const problem = errorFrom(403, parsed(await answer.clone().text()), null)
  if (problem.code !== 'reason_needed') return answer
  const told = await onReasonNeeded(problem.fields.act ?? '', Number(problem.fields.object_id ?? 0))
  return told ? globalThis.fetch(again) : answer
}

/** Reads `{error, detail, fields}` out of an answer of any kind. */
export function errorFrom(status: number, body: unknown, retryAfter: string | null): ApiError {
  const answer = (body && typeof body === 'object' ? body : {}) as Record<string, unknown>
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter)
  return new ApiError(
    status,
    typeof answer.error === 'string' ? answer.error : `http_${status}`,
    typeof answer.detail === 'string' ? answer.detail : '',
    (answer.fields as FieldErrors | undefined) ?? {},
    Number.isFinite(seconds) ? seconds : null,
  )
}

/** The service's routes with the types of its own description; outcomes go through {@link answerOf}. */
export const routes = createClient<paths>({
  headers: { Accept: 'application/json' },
  credentials: 'same-origin',
  // Looked up at each call, so that tests can put their own in its place.
  fetch: asked,
})
routes.use({
  onRequest({ request }) {
    if (request.method !== 'GET') request.headers.set('X-CSRF-Token', csrfToken)
  },
  onResponse({ response }) {
    const [id, kind, count] = (response.headers.get('X-Undo-Step') ?? '').split(';')
    if (response.ok && id && kind) onUndoable({ id: Number(id), kind, count: Number(count) || 1 })
  },
})

interface Outcome<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The data of a success. Raises {@link ApiError} for everything else, a cut answer included. */
export async function answerOf<T>(call: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>
  try {
    outcome = await call
  } catch {
    throw new ApiError(0, 'offline', '')
  }
  const { data, error, response } = outcome
  if (response.ok) return data as T
  // Only the first question, who am I, is asked without knowing whether anybody is signed in.
  if (response.status === 401 && !/\/api\/session(\/code)?$/.test(response.url)) onSignedOut()
  const problem = errorFrom(response.status, parsed(error), response.headers.get('Retry-After'))
  if (problem.code === 'csrf' || problem.code === 'unfinished') onOtherSession()
  throw problem
}

/** Bodies of errors come as text when they are no JSON. */
function parsed(error: unknown): unknown {
  if (typeof error !== 'string') return error
  try {
    return JSON.parse(error)
  } catch {
    return null
  }
}

/** Sends a file with its progress from 0 to 1; `fetch` cannot tell how far an upload is. */
export function upload<T>(
  path: string,
  file: Blob,
  name: string,
  onProgress: (done: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.setRequestHeader('X-CSRF-Token', csrfToken)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    request.onerror = () => reject(new ApiError(0, 'offline', ''))
    request.onabort = () => reject(new ApiError(0, 'aborted', ''))
    request.onload = () => {
      let body: unknown = null
      try {
        body = JSON.parse(request.responseText)
      } catch {
        body = null
      }
      if (request.status >= 200 && request.status < 300 && body) resolve(body as T)
      else {
        if (request.status === 401) onSignedOut()
        reject(errorFrom(request.status, body, request.getResponseHeader('Retry-After')))
      }
    }
    signal?.addEventListener('abort', () => request.abort())
    const form = new FormData()
    form.append('file', file, name)
    request.send(form)
  })
}
