/** Times that people of the company read and write are in the company's zone, wherever their browser is. */

const two = (n: number): string => String(n).padStart(2, '0')

interface Wall {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  weekday: number
}

function wallOf(at: number, zone: string): Wall {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    weekday: 'short',
    hourCycle: 'h23',
  }).formatToParts(at)
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? ''
  return {
    year: Number(of('year')),
    month: Number(of('month')),
    day: Number(of('day')),
    hour: Number(of('hour')),
    minute: Number(of('minute')),
    weekday: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(of('weekday')),
  }
}

/** `2026-03-01T09:00` as a field for a moment shows it. */
export function toWall(at: number, zone: string): string {
  const { year, month, day, hour, minute } = wallOf(at, zone)
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`
}

/** The moment of a wall clock's time in that zone; NaN for what is none. */
export function fromWall(wall: string, zone: string): number {
  const asUtc = Date.parse(`${wall}:00Z`)
  if (Number.isNaN(asUtc)) return Number.NaN
  // Twice: near a change of the clocks the first guess has the offset of the other side.
  let guess = asUtc - (Date.parse(`${toWall(asUtc, zone)}:00Z`) - asUtc)
  guess -= Date.parse(`${toWall(guess, zone)}:00Z`) - asUtc
  return guess
}

export interface Preset {
  key: 'hour' | 'evening' | 'morning' | 'monday'
  at: number
}

/** Moments that people mean: in an hour, this evening at eight, tomorrow at nine, next Monday at nine. Past ones are left out. */
export function presets(now: number, zone: string): Preset[] {
  const wall = wallOf(now, zone)
  const day = (ahead: number, hour: number): number => {
    const date = new Date(Date.UTC(wall.year, wall.month - 1, wall.day + ahead))
    return fromWall(`${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}T${two(hour)}:00`, zone)
  }
  const toMonday = (8 - wall.weekday) % 7 || 7
  const found: Preset[] = [
    { key: 'hour', at: Math.ceil((now + 3600_000) / 300_000) * 300_000 },
    { key: 'evening', at: day(0, 20) },
    { key: 'morning', at: day(1, 9) },
    { key: 'monday', at: day(toMonday, 9) },
  ]
  return found.filter((one, n) => one.at > now + 60_000 && found.findIndex((other) => other.at === one.at) === n)
}

/** 今天 18:00, 明天 09:00, 3月8日 09:00. */
export function moment(at: number, now: number, zone: string, language: 'zh-CN' | 'en'): string {
  const wall = wallOf(at, zone)
  const today = wallOf(now, zone)
  const days = Math.round((Date.UTC(wall.year, wall.month - 1, wall.day) - Date.UTC(today.year, today.month - 1, today.day)) / 86_400_000)
  const clock = `${two(wall.hour)}:${two(wall.minute)}`
  if (days === 0) return language === 'en' ? `today ${clock}` : `今天 ${clock}`
  if (days === 1) return language === 'en' ? `tomorrow ${clock}` : `明天 ${clock}`
  const date = new Intl.DateTimeFormat(language, {
    timeZone: zone,
    month: language === 'en' ? 'short' : 'long',
    day: 'numeric',
    year: wall.year === today.year ? undefined : 'numeric',
  }).format(at)
  return `${date} ${clock}`
}
