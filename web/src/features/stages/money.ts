import type { Language } from '@/api/types'

/** Fen as people say it: ¥3,200, or in the short form of the language (¥32万, ¥320K) where there is little room. */
export function money(fen: number, language: Language, short = false): string {
  const locale = language === 'en' ? 'en' : 'zh-CN'
  const compact = short && Math.abs(fen) >= 1_000_000
  const digits = compact ? 1 : fen % 100 ? 2 : 0
  const number = new Intl.NumberFormat(locale, compact ? { notation: 'compact', maximumFractionDigits: digits } : { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `¥${number.format(fen / 100)}`
}
