import type { ReportUnit } from '@/api/stages'
import { useWords } from '@/ui/words'

/** How the buckets of a report are called, and where they end. Days are plain dates, in no zone. */
export function useDays() {
  const { language } = useWords()
  const date = (day: string): Date => new Date(`${day}T00:00:00Z`)

  function label(day: string, unit: ReportUnit = 'day'): string {
    const locale = language() === 'en' ? 'en' : 'zh-CN'
    const options: Intl.DateTimeFormatOptions = unit === 'month' ? { year: 'numeric', month: 'short' } : { month: 'numeric', day: 'numeric' }
    const said = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' }).format(date(day))
    return unit === 'week' ? `${said} –` : said
  }

  /** The last day of a bucket, not beyond the period. */
  function end(day: string, unit: ReportUnit = 'day', last?: string): string {
    const at = date(day)
    if (unit === 'week') at.setUTCDate(at.getUTCDate() + 6)
    if (unit === 'month') at.setUTCMonth(at.getUTCMonth() + 1, 0)
    const found = at.toISOString().slice(0, 10)
    return last && found > last ? last : found
  }

  return { label, end }
}
