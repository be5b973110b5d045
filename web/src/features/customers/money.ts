import type { Language } from '@/api/types'

/** ¥86,000 or ¥86,000.50, from fen. */
export function money(fen: number, language: Language): string {
  const whole = fen % 100 === 0
  return `¥${(fen / 100).toLocaleString(language, { minimumFractionDigits: whole ? 0 : 2, maximumFractionDigits: 2 })}`
}

/** Fen from what a person writes: 86,000 or ¥86000.5 or 8.6万. Null: that is no amount. */
export function fenOf(text: string): number | null {
  const found = /^[¥￥]?\s*([\d,]+(?:\.\d{1,6})?)\s*(万|w)?\s*元?$/i.exec(text.trim())
  if (!found?.[1]) return null
  const fen = Math.round(Number(found[1].replaceAll(',', '')) * (found[2] ? 1_000_000 : 100))
  return Number.isSafeInteger(fen) && fen <= 1e15 ? fen : null
}
