import type { Link, LinkedVisitor } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { withLink } from '#core/identity/links.js'
import { mergeIdOf, mergesOf } from '#core/identity/merges.js'
import { applyEnvelope } from '#core/profile/apply.js'

const hash = (text: string) => text.padEnd(22, '.')
const named = (at: number): Link => ({ firstAt: at, lastAt: at, cause: 'identify' })
const browser = (anonymousId: string, links: LinkedVisitor['links']): LinkedVisitor => ({
  visitorId: anonymousId,
  anonymousId,
  userId: '',
  links: links ?? {},
})
const user = (userId: string, links: LinkedVisitor['links']): LinkedVisitor => ({
  visitorId: `user:${userId}`,
  anonymousId: '',
  userId,
  links: links ?? {},
})
const list = (own: LinkedVisitor[], others: LinkedVisitor[] = []) =>
  mergesOf('shop', own, new Map([...own, ...others].map(each => [each.visitorId, each])), hash)

it('lists each pair once, by the time of its state, with the earlier message of both sides', () => {
  const merges = list([
    user('ann', { phone: named(2_000), laptop: named(1_000) }),
    browser('phone', { ann: named(500) }),
  ])
  expect(merges.map(({ browser: id, at, state }) => [id, at, state])).toEqual([
    ['phone', '1970-01-01T00:00:00.500Z', 'joined'],
    ['laptop', '1970-01-01T00:00:01.000Z', 'joined'],
  ])
})

it('is held where a guard of either side holds it back', () => {
  const kiosk = browser('kiosk', Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'ann'].map((id, at) => [id, named(at)])))
  expect(list([user('ann', { kiosk: named(5) })], [kiosk])).toMatchObject([
    { browser: 'kiosk', userId: 'ann', state: 'held', cause: 'users_per_browser' },
  ])
})

it.each([
  ...['null', 'test', 'nil', '-1', 'N/A', 'n/a', '(null)', '<nil>', 'user', 'visitor', ' Admin ', 'xxx', 'none', 'NA'],
  ...['unknown', 'guest', 'default', 'anonymous', '00000000-0000-0000-0000-000000000000', '[]', '{}', 'Anon'],
  ...[
    '{{user.key}}',
    'shop-{{ key }}',
    `\${session.key}`,
    '#{key}',
    '%{key}',
    '<%= user.key %>',
    '<?php echo $user->key ?>',
  ],
  ...[
    '%USER_KEY%',
    '%%key%%',
    '__CUSTOMER_ID__',
    '__user_id__',
    '*|KEY|*',
    '{!Contact.Key}',
    '[[key]]',
    '[% key %]',
    '{% key %}',
  ],
  ...[
    '{user_id}',
    '<user_id>',
    '[email]',
    '$user',
    ':id',
    '@userId',
    '$USER_ID',
    'user-undefined',
    'user:null',
    'undefined.undefined',
  ],
])('is held where many clients send %j for want of an id', userId => {
  expect(list([browser('b1', { [userId]: named(1) })])).toMatchObject([{ state: 'held', cause: 'shared_id' }])
})

it.each([
  ...[
    'ann',
    'user-1',
    'admin@shop.example',
    'tester',
    'nathan',
    '(ann)',
    '1',
    'x',
    '@ann',
    '$ann',
    '__ann__',
    'user-nan1',
  ],
  ...[
    '{3f2504e0-4f89-11d3-9a0c-0305e82c3301}',
    '100%',
    'a%20b',
    '%40ann',
    'ann{1}',
    'null-island',
    'c# {x}',
    '__ANN__',
  ],
])('joins %j', userId => {
  expect(list([browser('b1', { [userId]: named(1) })])).toMatchObject([{ state: 'joined' }])
})

it('is as was decided last, also where one side has not heard of it yet', () => {
  const decided = (at: number, state: 'undone' | 'joined') => ({
    ...named(1),
    decision: { state, at, cause: `at ${at}` },
  })
  const merges = list(
    [user('ann', { phone: decided(10, 'undone') })],
    [browser('phone', { ann: decided(20, 'joined') })],
  )
  expect(merges).toMatchObject([{ state: 'joined', cause: 'at 20', at: '1970-01-01T00:00:00.020Z' }])
})

it('names a merge by site, browser and user, which are told apart whatever they hold', () => {
  expect(mergeIdOf('shop', 'a', 'bc', hash)).not.toBe(mergeIdOf('shop', 'ab', 'c', hash))
  expect(mergeIdOf('shop', 'a', 'b', hash)).toHaveLength(22)
})

it('keeps what was decided, however many users a browser names', () => {
  let links = withLink({}, 'ann', { ...named(1), decision: { state: 'undone', at: 1, cause: 'kiosk' } })
  for (let i = 0; i < 1_000; i++) links = withLink(links, `u${i}`, named(i))
  expect(Object.keys(links)).toHaveLength(100)
  expect(links.ann?.decision?.state).toBe('undone')
})

it('outlasts the visit of a browser of which nothing else is known', () => {
  const old = { receivedAt: '2020-01-01T00:00:00.000Z', siteId: 'shop', visitorId: 'phone', messages: [] }
  const decision = { state: 'undone', at: 1, cause: 'a test' } as const
  const profile = applyEnvelope(undefined, { ...old, identity: [{ anonymousId: 'phone', userId: 'ann', decision }] }, 1)
  const later = applyEnvelope(profile, { ...old, receivedAt: '2026-01-01T00:00:00.000Z' }, 2)
  expect(later?.links?.ann?.decision).toEqual(decision)
})
