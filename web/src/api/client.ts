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
    readonly sentence: { zh: string; en: string } | null = null,
  ) {
    super(detail)
  }

  /** Trying again later may work: nothing about the request itself was refused. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500
  }
}

type Query = Record<string, string | number | boolean | null | undefined>

let csrfToken = ''
let onSignedOut: () => void = () => undefined

export function setCsrfToken(token: string): void {
  csrfToken = token
}

/** Called when the service says that the session is over. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler
}

function address(path: string, query?: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null || value === '' || value === false) continue
    parameters.set(name, value === true ? '1' : String(value))
  }
  const text = parameters.toString()
  return text ? `${path}?${text}` : path
}

/** Reads `{error, detail, fields, zh, en}` out of an answer of any kind. */
export function errorFrom(status: number, body: unknown, retryAfter: string | null): ApiError {
  const answer = (body && typeof body === 'object' ? body : {}) as Record<string, unknown>
  const nested = (answer.reason && typeof answer.reason === 'object' ? answer.reason : answer) as Record<string, unknown>
  const sentence =
    typeof nested.zh === 'string' && typeof nested.en === 'string' ? { zh: nested.zh, en: nested.en } : null
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter)
  return new ApiError(
    status,
    typeof answer.error === 'string' ? answer.error : `http_${status}`,
    typeof answer.detail === 'string' ? answer.detail : '',
    (answer.fields as FieldErrors | undefined) ?? {},
    Number.isFinite(seconds) ? seconds : null,
    sentence,
  )
}

async function call<T>(method: string, path: string, options: { query?: Query; body?: unknown } = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRF-Token'] = csrfToken
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers,
      credentials: 'same-origin',
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
    })
  } catch {
    throw new ApiError(0, 'offline', '')
  }
  if (response.status === 204) return undefined as T
  let body: unknown = null
  try {
    body = await response.json()
  } catch {
    // A success whose body was cut is an unknown outcome, like no answer at all.
    if (response.ok) throw new ApiError(0, 'offline', '')
  }
  if (response.ok) return body as T
  if (response.status === 401 && path !== '/api/session') onSignedOut()
  throw errorFrom(response.status, body, response.headers.get('Retry-After'))
}

export const get = <T>(path: string, query?: Query): Promise<T> => call<T>('GET', path, { query })
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>('POST', path, { body })
export const patch = <T>(path: string, body: unknown): Promise<T> => call<T>('PATCH', path, { body })
export const remove = <T = void>(path: string): Promise<T> => call<T>('DELETE', path)

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
