import { useWords } from '@/ui/words'

/** Amounts as people read them. */
export function useYuan() {
  const { t, language } = useWords()
  const yuan = (fen: number): string => `¥${(fen / 100).toLocaleString(language(), { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
  const amountOf = (fen: number | null): string => (fen === null ? t('money.unknownAmount') : yuan(fen))
  return { yuan, amountOf }
}

/** Fen of what somebody typed in yuan; null: nothing; undefined: no amount. */
export function fenOf(text: string): number | null | undefined {
  const plain = text.trim().replace(/[,，\s]/g, '')
  if (plain === '') return null
  if (!/^\d{1,13}(\.\d{1,2})?$/.test(plain)) return undefined
  const [whole = '0', part = ''] = plain.split('.')
  const fen = Number(whole) * 100 + Number(part.padEnd(2, '0'))
  return fen > 0 ? fen : undefined
}
