import {
  BUCKETS,
  bucketStream,
  COLLECTOR_BUCKETS,
  CONTENTS_THEN_SUBJECT,
  EXPORT_SUBJECT,
  experimentsKey,
  keySubject,
  RECORD_SUBJECT,
  RESULTS_SUBJECT,
  STREAMS,
  VALUE_HISTORY_SUBJECT,
} from '@slotstream/protocol'

/** Subjects that a user of NATS may publish, and subscribe to. */
export interface Permissions {
  publish: { allow: string[]; deny?: string[] }
  subscribe: { allow: string[] }
}

/**
 * A program, and what it may do, in one table: a program that asks for more is rejected, and its log names the subject.
 */
export type Role = 'collector' | 'aggregator' | 'warehouse' | 'supervisor' | 'consumer' | 'operator'

const STATUS = 'slotstream.status'

/** Where all answers arrive. Each role listens to its own only; who answers may answer any. */
const ANSWERS = '_INBOX.>'

/** Reading streams and buckets, which changes nothing in them. */
const READ = [
  '$JS.API.INFO',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.INFO.*',
  '$JS.API.STREAM.MSG.GET.*',
  '$JS.API.DIRECT.GET.>',
  '$JS.API.CONSUMER.CREATE.>',
  '$JS.API.CONSUMER.INFO.>',
  '$JS.API.CONSUMER.MSG.NEXT.>',
  '$JS.API.CONSUMER.DELETE.>',
  '$JS.FC.>',
]

/**
 * Reading the buckets that collectors need, and neither a stream of messages nor a profile. Each collector faces the
 * internet, and must not be a way to what all visitors ever sent. The subject of a request for a consumer ends with its
 * filter, and the server holds it to that.
 */
const READ_BUCKETS = [
  '$JS.API.INFO',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.INFO.*',
  ...COLLECTOR_BUCKETS.flatMap(key => {
    const stream = bucketStream(BUCKETS[key])
    return [
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}.${allKeys(key)}`,
      `$JS.API.CONSUMER.CREATE.${stream}.*.${allKeys(key)}`,
    ]
  }),
  '$JS.API.CONSUMER.INFO.>',
  '$JS.API.CONSUMER.DELETE.>',
  '$JS.FC.>',
]

/**
 * Streams of signals that a user who reads them may read: as many as there may be after the first one was shared out.
 */
const SIGNAL_STREAMS = Array.from({ length: 16 }, (_, index) => `${STREAMS.signals.name}${index ? `_${index}` : ''}`)

/** Reading signals by consumers of one's own, for programs that are none of ours. */
const READ_SIGNALS = [
  '$JS.API.INFO',
  ...SIGNAL_STREAMS.flatMap(stream => [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.INFO.${stream}.>`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.>`,
    `$JS.API.CONSUMER.DELETE.${stream}.>`,
    `$JS.ACK.${stream}.>`,
    `$JS.FC.${stream}.>`,
  ]),
]

/** Making streams and buckets, and bringing them up to the settings. Deleting and emptying them is the operator's. */
const PROVISION = ['$JS.API.STREAM.CREATE.*', '$JS.API.STREAM.UPDATE.*']

/** Buckets that an administrator sets, by way of the collector alone. */
const ADMINISTERED = [
  allKeys('sites'),
  allKeys('catalog'),
  allKeys('catalogHistory'),
  allKeys('plans'),
  // Those of sites. Aggregators note under another key which built-in features are counted.
  keySubject(BUCKETS.definitions, '*.*'),
  allKeys('webhooks'),
]

/** Deletions of people. */
const PEOPLE = [allKeys('jobs'), allKeys('tombstones')]

/** How experiments end: one key of each site, and no other definition. */
const ENDS_EXPERIMENTS = [keySubject(BUCKETS.definitions, experimentsKey('*'))]

/**
 * Removing single messages, which a person's deletion takes. Emptying streams is the operator's. A message that others
 * share is written again without the person before it is removed.
 */
const ERASE = ['$JS.API.STREAM.MSG.DELETE.*']
const WRITE_AGAIN = ['events.*', 'decisions.*', 'signals.*', 'rejected.*', 'deliveries.*', 'learning.*']

/** Messages of visitors that were taken. */
const TAKEN = ['events.*', 'decisions.*', 'rejected.*']

/** Subjects of requests that collectors make to the owners of partitions. */
const ASKED = ['decide.*', 'profile.*', 'preview.*', 'content.*']

/** Requests that are answered from the tables. */
const READ_FROM_TABLES = [EXPORT_SUBJECT, RESULTS_SUBJECT, RECORD_SUBJECT, CONTENTS_THEN_SUBJECT, VALUE_HISTORY_SUBJECT]

/** Permissions of each role, beside listening for its own answers. The operator: everything. */
export function permissionsOf(role: Role, inboxPrefix: string): Permissions | undefined {
  const inbox = `${inboxPrefix}.>`
  switch (role) {
    case 'collector':
      return {
        publish: {
          allow: [
            ...TAKEN,
            ...ASKED,
            'webhook.*',
            ...READ_FROM_TABLES,
            ...ADMINISTERED,
            ...PEOPLE,
            STATUS,
            ANSWERS,
            ...READ_BUCKETS,
          ],
        },
        subscribe: { allow: [inbox, STATUS] },
      }
    case 'aggregator':
      return {
        publish: {
          allow: [
            'decisions.*',
            'signals.*',
            'learning.*',
            // Traits that a profile had no room for.
            'rejected.*',
            // Links of browsers and users, which another partition has to know.
            'events.*',
            // Profiles of a person's other browsers.
            'profile.*',
            'dead.>',
            keySubject('*', '>'),
            STATUS,
            ANSWERS,
            ...READ,
            ...PROVISION,
            ...ERASE,
          ],
          deny: [...ADMINISTERED, ...PEOPLE],
        },
        subscribe: { allow: [inbox, ...ASKED, 'forget.*', STATUS] },
      }
    case 'warehouse':
      return {
        publish: {
          allow: [
            ...WRITE_AGAIN,
            'dead.>',
            'forget.*',
            // Profiles, to compare them with the tables.
            'profile.*',
            ...PEOPLE,
            allKeys('positions'),
            ...ENDS_EXPERIMENTS,
            allKeys('webhookLetters'),
            allKeys('itemModels'),
            allKeys('leases'),
            allKeys('meta'),
            STATUS,
            ANSWERS,
            ...READ,
            ...PROVISION,
            ...ERASE,
          ],
        },
        subscribe: { allow: [inbox, ...READ_FROM_TABLES, 'webhook.*', STATUS] },
      }
    case 'supervisor':
      return { publish: { allow: ['$JS.API.STREAM.INFO.PROBE'] }, subscribe: { allow: [inbox] } }
    case 'consumer':
      return { publish: { allow: READ_SIGNALS }, subscribe: { allow: [inbox, `${STREAMS.signals.subject}.*`] } }
    case 'operator':
      return undefined
  }
}

export const ROLES: readonly Role[] = ['collector', 'aggregator', 'warehouse', 'supervisor', 'consumer', 'operator']

/** Returns the subjects of all keys of a bucket. */
function allKeys(key: keyof typeof BUCKETS): string {
  return keySubject(BUCKETS[key], '>')
}
