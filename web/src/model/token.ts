/** A token that names one send for ever. `randomUUID` exists only in secure contexts; a page on plain HTTP makes its own. */
export function newToken(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
