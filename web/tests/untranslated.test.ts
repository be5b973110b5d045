/** Whatever people read is in both languages: no words in the page's own files, only keys of `src/i18n`. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { parse } from 'vue/compiler-sfc'

const SOURCE = join(__dirname, '../src')

/** Words that are the same in both languages, or that belong to neither. */
const SAME_EVERYWHERE = new Set(['SCRM', 'Ctrl', 'Shift', 'Alt', 'Enter', 'Esc', 'Tab', 'Cmd', 'Space', 'Mac OS', 'WeCom', 'TOTP', 'API', 'URL', 'SLA', 'CSV', 'XLSX', 'ID', 'IP', 'OK'])
/** Each language is offered under its own name. */
const OWN_NAMES = new Set(['中文', '简体中文', 'English', '切换到中文', 'Switch to English'])
/** Files whose purpose is a language: formats of times and lists, searching in Chinese, the keys of Chinese keyboards. */
const ABOUT_LANGUAGE = new Set(['ui/time.ts', 'ui/text.ts', 'model/zone.ts', 'features/command/pinyin.ts', 'features/command/keys.ts', 'features/composer/emoji.ts', 'features/rules/closers.ts'])
const READ = new Set(['title', 'placeholder', 'alt', 'label', 'aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext', 'text', 'header', 'description'])

const CHINESE = /[\u3400-\u9fff\u3001\u3002\uff01\uff1f\uff0c\uff1a\uff1b]/
const WORD = /[A-Za-z]{2,}/g
const SENTENCE = /^[A-Z][a-z]+(?:[ ’'][A-Za-z]+)+[.!?…:]?$/

interface Node {
  type: number
  content?: string | Node
  children?: Node[]
  props?: Node[]
  name?: string
  value?: { content: string }
  exp?: { content: string }
  arg?: { content: string }
  tag?: string
  loc: { start: { line: number } }
}
const TEXT = 2
const INTERPOLATION = 5
const ATTRIBUTE = 6
const DIRECTIVE = 7
const UNREAD = new Set(['kbd', 'code', 'style', 'script'])

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const path = join(folder, one.name)
    if (one.isDirectory()) return one.name === 'i18n' ? [] : files(path)
    return /\.(vue|ts)$/.test(one.name) && !one.name.endsWith('.d.ts') ? [path] : []
  })
}

/** Plain text of a template: anything that reads as a word. */
function hasWords(text: string): boolean {
  const trimmed = text.trim()
  if (OWN_NAMES.has(trimmed)) return false
  return CHINESE.test(trimmed) || (trimmed.match(WORD) ?? []).some((word) => !SAME_EVERYWHERE.has(word))
}

/** Every string in a piece of script that a person would read. `read`: it stands where people read, so one word is enough. */
function spoken(code: string, read: boolean): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return
    // What goes wrong inside is told to developers.
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && /Error$|^console\./.test(node.expression.getText())) return
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      if (CHINESE.test(node.text) || SENTENCE.test(node.text) || (read && isArgumentless(node) && /^[A-Z][a-z]+$/.test(node.text))) {
        if (!OWN_NAMES.has(node.text) && !SAME_EVERYWHERE.has(node.text)) found.push(node.text)
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('x.ts', code, ts.ScriptTarget.Latest, true))
  return found
}

/** `a === 'Enter'` compares, `t('x')` asks: neither is shown. */
function isArgumentless(node: ts.Node): boolean {
  return !ts.isCallExpression(node.parent) && !(ts.isBinaryExpression(node.parent) && /^[=!]==?$/.test(node.parent.operatorToken.getText()))
}

function inTemplate(node: Node, say: (line: number, what: string) => void): void {
  const line = node.loc.start.line
  if (node.tag && UNREAD.has(node.tag)) return
  if (node.type === TEXT && typeof node.content === 'string' && hasWords(node.content)) say(line, node.content.trim())
  if (node.type === INTERPOLATION && typeof node.content === 'object') {
    for (const text of spoken(`(${String((node.content as unknown as { content: string }).content)})`, true)) say(line, text)
  }
  for (const prop of node.props ?? []) {
    if (prop.type === ATTRIBUTE && prop.name && READ.has(prop.name) && hasWords(prop.value?.content ?? '')) {
      say(line, `${prop.name}="${prop.value?.content}"`)
    }
    if (prop.type === DIRECTIVE && prop.exp && prop.name !== 'for' && prop.name !== 'slot') {
      const read = prop.name === 'bind' && READ.has(prop.arg?.content ?? '')
      for (const text of spoken(prop.name === 'on' ? prop.exp.content : `(${prop.exp.content})`, read)) say(line, text)
    }
  }
  for (const child of node.children ?? []) inTemplate(child, say)
}

function untranslated(path: string, code: string): string[] {
  const found: string[] = []
  const say = (line: number, what: string) => found.push(`${path}:${line} ${what}`)
  if (path.endsWith('.ts')) return spoken(code, false).map((text) => `${path} ${text}`)
  const { descriptor } = parse(code, { filename: path })
  if (descriptor.template?.ast) inTemplate(descriptor.template.ast as unknown as Node, say)
  for (const script of [descriptor.script, descriptor.scriptSetup]) {
    for (const text of script ? spoken(script.content, false) : []) found.push(`${path} ${text}`)
  }
  return found
}

describe('the page', () => {
  it('says nothing in one language only', () => {
    const found = files(SOURCE)
      .map((path) => [relative(SOURCE, path), readFileSync(path, 'utf8')] as const)
      .filter(([path]) => !ABOUT_LANGUAGE.has(path))
      .flatMap(([path, code]) => untranslated(path, code))
    expect(found).toEqual([])
  })

  it.each([
    ['a sentence', '<template><p>Nothing here</p></template>'],
    ['Chinese', '<template><p>没有内容</p></template>'],
    ['an attribute', '<template><button aria-label="Close">×</button></template>'],
    ['a bound attribute', `<template><button :title="open ? 'Close' : t('x.open')">×</button></template>`],
    ['an expression', `<template>{{ n > 1 ? 'Many of them' : '' }}</template>`],
    ['a handler', `<template><button @click="say('Saved for you')">×</button></template>`],
    ['a script', `<script setup lang="ts">const title = '已保存'</script>`],
    ['a built sentence', '<script setup lang="ts">const title = (n: number) => `共 ${n} 条`</script>'],
  ])('would be caught with %s in its own words', (_, code) => {
    expect(untranslated('X.vue', code)).not.toEqual([])
  })

  it.each([
    `<template><p class="cut nothing here">{{ t('inbox.find') }}</p></template>`,
    `<template><kbd>Ctrl</kbd><input :placeholder="t('inbox.find')" @keydown="event.key === 'Enter' && send()" /></template>`,
    `<script setup lang="ts">throw new Error('Nobody is signed in')</script>`,
  ])('may hold what nobody reads', (code) => {
    expect(untranslated('X.vue', code)).toEqual([])
  })
})
