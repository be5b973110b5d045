import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import en from '@/i18n/en'
import campaignsEn from '@/i18n/parts/campaigns.en'
import campaignsZh from '@/i18n/parts/campaigns.zh-CN'
import archiveEn from '@/i18n/parts/archive.en'
import archiveZh from '@/i18n/parts/archive.zh-CN'
import contentsEn from '@/i18n/parts/contents.en'
import contentsZh from '@/i18n/parts/contents.zh-CN'
import invitesEn from '@/i18n/parts/invites.en'
import invitesZh from '@/i18n/parts/invites.zh-CN'
import relationsEn from '@/i18n/parts/relations.en'
import relationsZh from '@/i18n/parts/relations.zh-CN'
import reportsEn from '@/i18n/parts/reports.en'
import reportsZh from '@/i18n/parts/reports.zh-CN'
import zhCN from '@/i18n/zh-CN'

type Tree = { [key: string]: string | Tree }

function flat(tree: Tree, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(prefix + key, value)
    else for (const [inner, text] of flat(value, `${prefix}${key}.`)) found.set(inner, text)
  }
  return found
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const path = join(folder, one.name)
    if (one.isDirectory()) return one.name === 'i18n' ? [] : sources(path)
    return /\.(vue|ts)$/.test(one.name) ? [readFileSync(path, 'utf8')] : []
  })
}

// With those that come late.
const chinese = flat({ ...zhCN, ...campaignsZh, ...archiveZh, ...contentsZh, ...invitesZh, ...relationsZh, ...reportsZh })
const english = flat({ ...en, ...campaignsEn, ...archiveEn, ...contentsEn, ...invitesEn, ...relationsEn, ...reportsEn })
const code = sources(join(__dirname, '../src')).join('\n')
const keys = [...chinese.keys()]
const namespaces = new Set(keys.map((key) => key.split('.')[0]))

/** Quoted words that look like a key, `'inbox.find'`, and the fixed beginnings of built ones, `` `role.${...}` ``. */
const quoted = new Set([...code.matchAll(/'([a-zA-Z]+(?:\.[\w-]+)+)'/g)].map((match) => match[1] ?? ''))
const built = [...code.matchAll(/`([a-zA-Z]+\.(?:[\w-]+\.)*)\$\{[^`]*?\}((?:\.[\w-]+)?)`/g)].map((match) => ({ start: match[1] ?? '', end: match[2] ?? '' }))
const used = (key: string) => quoted.has(key) || built.some(({ start, end }) => key.startsWith(start) && key.endsWith(end))

describe('the two languages', () => {
  it('say the same things', () => {
    expect([...english.keys()].sort()).toEqual([...keys].sort())
  })

  it('name the same values in each sentence', () => {
    const names = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort()
    for (const [key, text] of chinese) expect([key, names(english.get(key) ?? '')]).toEqual([key, names(text)])
  })

  it('escape the special sign of links between sentences', () => {
    for (const [key, text] of [...chinese, ...english]) expect([key, text.replaceAll("{'@'}", '')]).not.toEqual([key, expect.stringContaining('@')])
  })

  it('leave nothing empty', () => {
    for (const [key, text] of [...chinese, ...english]) expect([key, text.trim()]).not.toEqual([key, ''])
  })

  it('have no sentence that is never shown', () => {
    expect(keys.filter((key) => !used(key))).toEqual([])
  })

  it('miss no sentence that is asked for', () => {
    const permissions = /^(inbox\.(read|reply|assign|recalled|team|settings)$|library\.(read|manage)$|customers\.(read|write|phone|reveal|assign|merge|import|export|delete|purge|settings|reports)$|codes\.manage$|campaigns\.(read|write|approve|settings)$|company\.manage$|connections\.(read|manage)$|events\.(read|manage)$|agents\.)/
    // Names of acts in the service's own language: kinds of undo steps and lines of the story.
    const acts = /^customer\.(merge|joined|unmerged|split|delete|share)$/
    const asked = [...quoted].filter((key) => namespaces.has(key.split('.')[0]) && !permissions.test(key) && !acts.test(key))
    expect(asked.filter((key) => !chinese.has(key))).toEqual([])
    for (const { start } of built) {
      if (namespaces.has(start.split('.')[0])) expect(keys.some((key) => key.startsWith(start)), start).toBe(true)
    }
  })
})
