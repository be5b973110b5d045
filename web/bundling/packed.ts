import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin, ResolvedConfig } from 'vite'

const WORTH_IT = /\.(js|mjs|css|html|svg|json|wasm)$/
const SMALLEST = 1024

/** Writes `.br` and `.gz` beside every file of the build that shrinks, so that the service compresses nothing itself. */
export function packed(): Plugin {
  let out = 'dist'
  return {
    name: 'packed',
    apply: 'build',
    configResolved: (config: ResolvedConfig) => {
      out = join(config.root, config.build.outDir)
      if (config.build.outDir.startsWith('/')) out = config.build.outDir
    },
    writeBundle: () => pack(out),
  }
}

function pack(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) pack(path)
    else if (WORTH_IT.test(entry.name)) packFile(path)
  }
}

function packFile(path: string): void {
  const plain = readFileSync(path)
  if (plain.length < SMALLEST) return
  const smaller = {
    '.br': brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }),
    '.gz': gzipSync(plain, { level: 9 }),
  }
  for (const [suffix, body] of Object.entries(smaller)) {
    if (body.length < plain.length * 0.9) writeFileSync(path + suffix, body)
  }
}
