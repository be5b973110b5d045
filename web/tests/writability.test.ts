import { describe, expect, it } from 'vitest'
import type { ChannelView, WindowView } from '@/api/types'
import { hasLink, kindForFile, measure, writability, type Situation } from '@/model/writability'
import { conversationView } from './world'

const NOW = Date.parse('2026-01-02T00:00:00Z')
const HOUR = 3600_000

function channel(change: Partial<ChannelView> = {}): ChannelView {
  return {
    channel: 'x',
    title: { code: '', zh: '', en: '' },
    mark: '客',
    color: '#000',
    sends: ['text', 'image', 'file'],
    read_only_reason: null,
    text_limit: 100,
    text_limit_unit: 'characters',
    links_allowed: true,
    media: { image: { max_bytes: 100, mime_types: ['image/png'] }, file: { max_bytes: 1000, mime_types: [] } },
    window: { seconds: 86400, quota: 5, rule: { code: 'r', zh: '规则', en: 'rule' } },
    recall_seconds: null,
    deduplicates_sends: false,
    ...change,
  }
}

function window(hoursLeft: number, used: number): WindowView {
  const at = (hours: number) => new Date(NOW + hours * HOUR).toISOString()
  return { kind: 'reply', opened_at: at(hoursLeft - 24), expires_at: at(hoursLeft), quota: 5, used }
}

function ask(change: Partial<Situation> = {}, view: Parameters<typeof conversationView>[0] = {}) {
  return writability({
    conversation: conversationView({ window: window(12, 1), ...view }),
    channel: channel(),
    accountDisabled: false,
    mayReply: true,
    underWay: 0,
    now: NOW,
    ...change,
  })
}

describe('writability', () => {
  it('tells time and number that are left', () => {
    expect(ask()).toMatchObject({ state: 'open', left: 4, quota: 5, remaining: 12 * HOUR, share: 0.5 })
    expect(ask({ underWay: 2 })).toMatchObject({ state: 'open', left: 2 })
  })

  it('warns under an hour and at the last message', () => {
    expect(ask({}, { window: window(0.9, 0) })).toMatchObject({ state: 'soon' })
    expect(ask({}, { window: window(12, 4) })).toMatchObject({ state: 'soon', left: 1 })
  })

  it('is closed for the first reason that holds', () => {
    const reason = { code: 'x', zh: '人工接待中', en: 'handled' }
    expect(ask({ channel: channel({ sends: [], read_only_reason: reason }), mayReply: false })).toMatchObject({ why: 'read_only', sentence: reason })
    expect(ask({ mayReply: false })).toMatchObject({ state: 'closed', why: 'role' })
    expect(ask({ accountDisabled: true })).toMatchObject({ why: 'disabled' })
    expect(ask({}, { status: 'closed' })).toMatchObject({ why: 'done' })
    expect(ask({}, { can_send: false, service_reason: reason })).toMatchObject({ why: 'platform', sentence: reason })
    expect(ask({}, { window: null })).toMatchObject({ why: 'never_opened' })
    expect(ask({}, { window: window(0, 0) })).toMatchObject({ why: 'expired' })
    expect(ask({}, { window: window(12, 5) })).toMatchObject({ why: 'used_up' })
  })

  it('is free where the channel has no rule', () => {
    expect(ask({ channel: channel({ window: null }) }, { window: null })).toEqual({ state: 'free' })
  })
})

describe('what may be sent', () => {
  it('counts as the channel counts', () => {
    expect(measure('你好a', 'bytes')).toBe(7)
    expect(measure('你好😀', 'characters')).toBe(3)
  })

  it('chooses the kind of a file, falls back to a plain file, and says why not', () => {
    expect(kindForFile({ type: 'image/png', size: 50 }, channel())).toEqual({ kind: 'image' })
    expect(kindForFile({ type: 'image/webp', size: 50 }, channel())).toEqual({ kind: 'file' })
    expect(kindForFile({ type: 'image/png', size: 500 }, channel())).toEqual({ kind: 'file' })
    expect(kindForFile({ type: 'application/pdf', size: 5000 }, channel())).toEqual({ refused: 'size', limit: 1000 })
    expect(kindForFile({ type: 'image/webp', size: 1 }, channel({ sends: ['image'] }))).toEqual({ refused: 'type', limit: 0 })
    expect(kindForFile({ type: 'video/mp4', size: 1 }, channel({ sends: ['text'] }))).toEqual({ refused: 'kind', limit: 0 })
  })

  it('sees links', () => {
    expect(hasLink('看 https://a.cn/b')).toBe(true)
    expect(hasLink('www.a.cn')).toBe(true)
    expect(hasLink('3.5 折')).toBe(false)
  })
})
