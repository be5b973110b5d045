import { describe, expect, it } from 'vitest'
import { errorFrom } from '@/api/client'
import { cardOf } from '@/features/thread/kinds/card'
import { initials, safeHref, safeImage, segments, shortName } from '@/ui/text'
import { clockTime, coarse, dayLabel, duration, listTime, sameDay, setTimeFormat, setZone } from '@/ui/time'

describe('addresses from outside', () => {
  it('open only when they are http or https', () => {
    expect(safeHref('https://a.cn/x')).toBe('https://a.cn/x')
    for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', '//a.cn', '/x', '', null, 5]) {
      expect(safeHref(bad)).toBeNull()
    }
  })

  it('are pictures only from here or over https', () => {
    expect(safeImage('https://a.cn/x.png')).toBe('https://a.cn/x.png')
    expect(safeImage('/api/attachments/1/content')).toBe('/api/attachments/1/content')
    for (const bad of ['http://a.cn/x.png', '//a.cn/x.png', 'javascript:1', 'data:image/png;base64,x']) expect(safeImage(bad)).toBeNull()
  })

  it('are found in texts, without the punctuation around them', () => {
    expect(segments('看 https://a.cn/b?c=1。好')).toEqual([
      { text: '看 ', href: null },
      { text: 'https://a.cn/b?c=1', href: 'https://a.cn/b?c=1' },
      { text: '。好', href: null },
    ])
    expect(segments('<b>x</b>')).toEqual([{ text: '<b>x</b>', href: null }])
  })
})

describe('cards', () => {
  it('never carry an address that is not safe', () => {
    const card = cardOf({ kind: 'link', text: '', files: [], content: { title: 't', url: 'javascript:alert(1)', image_url: 'javascript:1' } })
    expect(card.href).toBeNull()
    expect(card.image).toBeNull()
  })

  it('survive content of any shape', () => {
    for (const kind of ['link', 'location', 'order', 'product', 'channel_post', 'contact_card', 'miniprogram']) {
      for (const content of [{}, { title: 5, titles: 'x', latitude: 'n', price: {} }, { titles: [null, 1], url: [] }]) {
        expect(() => cardOf({ kind, text: '', files: [], content: content as Record<string, unknown> })).not.toThrow()
      }
    }
  })
})

describe('names', () => {
  it('become initials', () => {
    expect(initials('李小姐')).toBe('李')
    expect(initials('Emily Chen')).toBe('EC')
    expect(initials('')).toBe('客')
    expect(shortName('售前咨询')).toBe('售前')
  })
})

describe('times', () => {
  const now = new Date(2026, 10, 21, 15, 0).getTime()
  const iso = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString()

  it('are relative near and absolute far', () => {
    expect(listTime(iso(2026, 10, 21, 14, 59), now + 1000, 'zh-CN')).toBe('1 分钟')
    expect(listTime(new Date(now - 5000).toISOString(), now, 'zh-CN')).toBe('刚刚')
    expect(listTime(iso(2026, 10, 21, 9, 5), now, 'zh-CN')).toBe('09:05')
    expect(listTime(iso(2026, 10, 20, 23, 59), now, 'en')).toBe('Yesterday')
    expect(listTime(iso(2026, 10, 18, 9, 0), now, 'zh-CN')).toBe('11-18')
    expect(listTime(iso(2024, 10, 18, 9, 0), now, 'zh-CN')).toBe('2024-11-18')
  })

  it("are the company's, wherever the browser is", () => {
    const at = '2026-11-20T16:30:00Z'
    setZone('Asia/Shanghai')
    expect(clockTime(at)).toBe('00:30')
    expect(dayLabel(at, Date.parse('2026-11-21T02:00:00Z'), 'en')).toBe('Today')
    expect(sameDay(at, '2026-11-20T15:30:00Z')).toBe(false)
    setZone('America/New_York')
    expect(clockTime(at)).toBe('11:30')
    expect(sameDay(at, '2026-11-20T15:30:00Z')).toBe(true)
    setZone('Nowhere/At_All')
    setTimeFormat('12')
    expect(clockTime(at)).toMatch(/^11:30\sAM$/)
    setTimeFormat('24')
    setZone(new Intl.DateTimeFormat().resolvedOptions().timeZone)
  })

  it('are durations that never go below zero', () => {
    expect(duration(15 * 3600_000 + 8 * 60_000, 'zh-CN')).toBe('15 小时 08 分')
    expect(duration(-5, 'zh-CN')).toBe('0 分钟')
    expect(duration(8 * 60_000 + 20_000, 'en', true)).toBe('8 min 20 s')
    expect(coarse(40 * 60_000, 'zh-CN')).toBe('40 分钟')
  })
})

describe('errors of the service', () => {
  it('carry their code, and whether trying again may help', () => {
    expect(errorFrom(409, { error: 'window_closed', detail: 'x' }, null)).toMatchObject({ code: 'window_closed', passing: false })
    expect(errorFrom(403, { error: 'csrf', detail: 'x' }, null).passing).toBe(true)
  })

  it('are understood even when there is no body', () => {
    expect(errorFrom(503, null, '7')).toMatchObject({ code: 'http_503', passing: true, retryAfterSeconds: 7 })
    expect(errorFrom(429, 'text', null).passing).toBe(true)
    expect(errorFrom(0, null, null).passing).toBe(true)
    expect(errorFrom(422, {}, null).passing).toBe(false)
  })
})
