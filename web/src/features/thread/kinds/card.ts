import { AppWindow, ContactRound, Link2, MapPin, Package, ReceiptText, SquarePlay } from 'lucide-vue-next'
import type { Component } from 'vue'
import { safeHref, safeImage, str } from '@/ui/text'
import type { Parts } from '../parts'

/** What a card shows, read from the content of its kind. */
export interface Card {
  icon: Component
  title: string
  lines: string[]
  price: string
  image: string | null
  href: string | null
}

function mapAddress(content: Record<string, unknown>): string | null {
  const { latitude, longitude } = content
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return null
  const name = encodeURIComponent(str(content.name) || str(content.address))
  return `https://uri.amap.com/marker?position=${longitude},${latitude}&name=${name}&callnative=0`
}

/** Prices come as `399`, `399.00` or with their sign. */
function price(value: unknown): string {
  const text = str(value)
  return /^\d+(\.\d+)?$/.test(text) ? `¥${text}` : text
}

export function cardOf(parts: Parts): Card {
  const { kind, content, text } = parts
  const titles = Array.isArray(content.titles) ? content.titles.map(str).join(' · ') : str(content.titles)
  const stored = parts.files.find((file) => file.state === 'stored')
  const card: Card = {
    icon: Link2,
    title: str(content.title) || str(content.name) || titles || text,
    lines: [],
    price: price(content.price),
    image: stored?.url ?? safeImage(content.image_url),
    href: null,
  }
  switch (kind) {
    case 'link':
      card.lines = [str(content.description), hostOf(content.url)]
      card.href = safeHref(content.url)
      break
    case 'location':
      card.icon = MapPin
      card.lines = [str(content.address)]
      card.href = mapAddress(content)
      break
    case 'miniprogram':
      card.icon = AppWindow
      card.lines = [str(content.name) === card.title ? '' : str(content.name), str(content.description)]
      break
    case 'contact_card':
      card.icon = ContactRound
      card.title = str(content.name) || str(content.company) || text
      card.lines = [str(content.user_id)]
      break
    case 'product':
      card.icon = Package
      card.lines = [str(content.shop)]
      break
    case 'order':
      card.icon = ReceiptText
      card.lines = [str(content.order_id), [str(content.state), str(content.shop)].filter(Boolean).join(' · ')]
      break
    case 'channel_post':
      card.icon = SquarePlay
      card.lines = [str(content.nickname)]
      break
  }
  card.lines = card.lines.filter(Boolean)
  return card
}

function hostOf(value: unknown): string {
  const href = safeHref(value)
  return href ? new URL(href).hostname : ''
}
