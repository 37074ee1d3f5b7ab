import { inboxPrefixOf } from '@slotstream/runtime'
import { permissionsOf, ROLES } from './permissions.js'
import type { NatsUsers } from './users.js'

/**
 * Writes the configuration of the nats-server of one machine: on loopback, with JetStream, and with no way in for those
 * without a password. JSON is a part of its language. The users are in the global account, in which streams were before
 * there were users: accounts of their own would hide those.
 */
export function natsConfig({ port, storeDir, users }: { port: number; storeDir: string; users: NatsUsers }): string {
  return `${JSON.stringify(
    {
      listen: `127.0.0.1:${port}`,
      jetstream: { store_dir: storeDir },
      authorization: {
        users: ROLES.map(role => ({
          user: role,
          password: users[role],
          permissions: permissionsOf(role, inboxPrefixOf(role)),
        })),
      },
    },
    undefined,
    2,
  )}\n`
}
