import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { api } from '@/api'
import type { AccountView, ChannelView, ConversationView } from '@/api/types'

/** The identities that customers talk to, and what their channels can do. */
export const useAccounts = defineStore('accounts', () => {
  const accounts = shallowRef<AccountView[]>([])
  const channels = shallowRef<ChannelView[]>([])
  const loaded = shallowRef(false)

  /** Those that are places of the inbox: employees who are only on the lists of customers would crowd it. */
  const chatting = computed(() => accounts.value.filter((account) => account.chats))
  const chattingChannels = computed(() => channels.value.filter((channel) => chatting.value.some((account) => account.channel === channel.channel)))
  const accountById = computed(() => new Map(accounts.value.map((account) => [account.id, account])))
  const channelByName = computed(() => new Map(channels.value.map((channel) => [channel.channel, channel])))

  async function load(): Promise<void> {
    const list = await api.accounts()
    accounts.value = list.accounts
    channels.value = list.channels
    loaded.value = true
  }

  function channelOf(conversation: ConversationView): ChannelView | undefined {
    return channelByName.value.get(conversation.channel)
  }

  return { accounts, chatting, channels, chattingChannels, loaded, accountById, channelByName, channelOf, load }
})
