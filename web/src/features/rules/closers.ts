/** What ends a chat and needs no answer, in the words of customers: a proposal that the person who makes the rule changes. */
export const CLOSERS = '好的\n好\n嗯\n谢谢\n收到\n知道了\n明白了\nok\nthanks\n再见'
