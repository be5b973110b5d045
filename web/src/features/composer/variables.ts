import { useI18n } from 'vue-i18n'
import { VARIABLE } from '@/model/pieces'

/** Variables in words, for lists: nobody should have to read braces. */
export function useVariables() {
  const { t, te } = useI18n()
  const nameOf = (name: string): string => (te(`compose.variable.${name}`) ? t(`compose.variable.${name}`) : name)
  const named = (text: string): string => text.replace(VARIABLE, (_, name: string) => `[${nameOf(name)}]`)
  return { nameOf, named }
}
