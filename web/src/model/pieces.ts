/** Pieces of an answer: what the composer holds, what is on its way, what the service is asked to send. */

import type { Part, PartView, QuickReply, Material } from '@/api/compose'
import type { AttachmentView, Kind } from '@/api/types'

/** Where a piece's file lies, as the service is told. */
export type Source = { attachment_id: number } | { material_id: number } | { of_reply: { id: number; part: number } }

export interface Piece {
  kind: Kind
  text: string
  content: Record<string, unknown>
  source: Source | null
  /** How it looks while it is on its way. */
  file: AttachmentView | null
}

export function requestPart(piece: Piece): Part {
  const part: Part = { kind: piece.kind }
  if (piece.text) part.text = piece.text
  if (Object.keys(piece.content).length > 0) part.content = piece.content
  return { ...part, ...(piece.source ?? {}) }
}

export const textPiece = (text: string): Piece => ({ kind: 'text', text, content: {}, source: null, file: null })

/** A file that is kept, in the shape of a message's. */
function shown(kind: string, file: PartView['file']): AttachmentView | null {
  if (!file) return null
  return { id: 0, kind: kind === 'link' || kind === 'miniprogram' ? 'image' : kind, state: 'stored', duration_ms: 0, reason: null, ...file }
}

export function pieceOfReply(id: number, part: PartView, number: number): Piece {
  return {
    kind: part.kind as Kind,
    text: part.text,
    content: part.content,
    source: part.file ? { of_reply: { id, part: number } } : null,
    file: shown(part.kind, part.file),
  }
}

export function pieceOfMaterial(material: Material): Piece {
  return {
    kind: material.kind as Kind,
    text: '',
    content: material.content,
    source: { material_id: material.id },
    file: shown(material.kind, material.file),
  }
}

/** What stands for a quick reply in a list: its first words, and what else it has. */
export function gist(reply: Pick<QuickReply, 'parts'>): string {
  const words = reply.parts.find((part) => part.kind === 'text')?.text ?? ''
  const title = reply.parts.map((part) => (typeof part.content.title === 'string' ? part.content.title : part.file?.name)).find(Boolean) ?? ''
  return (words || title).replace(/\s+/g, ' ')
}

export const VARIABLE = /\{\{\s*([a-z][a-z_.]{0,40})\s*\}\}/g

/** Names that still stand in a text. */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map((match) => match[1] ?? ''))]
}
