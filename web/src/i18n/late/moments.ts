/** Words of the pages of Moments, which come with them. */

import { i18n } from '@/i18n'
import en from '../parts/moments.en'
import zhCN from '../parts/moments.zh-CN'

i18n.global.mergeLocaleMessage('zh-CN', zhCN)
i18n.global.mergeLocaleMessage('en', en)
