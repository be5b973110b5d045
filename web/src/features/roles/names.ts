const BUILT_IN = ['rep', 'manager', 'marketer', 'auditor', 'admin']

/** A built-in role is named by the page, one of the company's own names itself. */
export function roleName(t: (key: string) => string, key: string, own?: string | null): string {
  return BUILT_IN.includes(key) ? t(`role.${key}`) : own || key
}

/** Permissions in the order in which people think of them, by what they are about. */
export const AREAS: Readonly<Record<string, readonly string[]>> = {
  inbox: ['inbox.read', 'inbox.reply', 'inbox.assign', 'inbox.recalled', 'inbox.team', 'inbox.settings'],
  customers: ['customers.read', 'customers.write', 'customers.reveal', 'customers.phone', 'customers.assign', 'customers.merge', 'customers.import', 'customers.export', 'customers.delete', 'customers.purge', 'customers.settings', 'customers.reports', 'codes.manage'],
  campaigns: ['campaigns.read', 'campaigns.write', 'campaigns.approve', 'campaigns.settings'],
  audit: ['audit.read', 'audit.review', 'audit.rules', 'audit.evidence', 'audit.retention'],
  library: ['library.read', 'library.manage'],
  company: ['agents.read', 'agents.manage', 'company.manage', 'trail.read'],
  channels: ['connections.read', 'connections.manage', 'events.read', 'events.manage'],
}
