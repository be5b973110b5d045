export default {
  rights: {
    place: { team: 'Team', library: 'Library', settings: 'Settings' },
    find: 'Find a setting',
    findNothing: 'No such setting',
    toSettings: 'Back to settings',
    group: { mine: 'My account', company: 'Company', channels: 'Channels', inbox: 'Inbox', library: 'Library', security: 'Security' },
    section: {
      me: 'Profile',
      people: 'People',
      connections: 'Connections',
      events: 'Troubled events',
    },
  },
}
