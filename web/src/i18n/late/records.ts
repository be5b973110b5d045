/** Words of what people send besides words and files; they come with the first such message. */

import { i18n } from '@/i18n'
import en from '../parts/records.en'
import zhCN from '../parts/records.zh-CN'

i18n.global.mergeLocaleMessage('zh-CN', zhCN)
i18n.global.mergeLocaleMessage('en', en)
