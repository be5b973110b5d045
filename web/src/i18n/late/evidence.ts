/** Words that come with the pages that say them: the first view does without. */

import { i18n } from '@/i18n'
import en from '../parts/evidence.en'
import zhCN from '../parts/evidence.zh-CN'

i18n.global.mergeLocaleMessage('zh-CN', zhCN)
i18n.global.mergeLocaleMessage('en', en)
