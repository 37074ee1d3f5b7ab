import { expect, it } from 'vitest'
import { PLACES } from '#aggregator/people/find/places.js'
import { withoutOthers } from '#aggregator/people/find/without-others.js'

const person = { siteId: 'shop', userIds: ['ann'], browsers: ['tablet'], anonymousIds: ['phone'] }

it('leaves the ids of others out of a session that several had part in, and nothing else', () => {
  const row = {
    session_id: 's1',
    anonymous_id: 'tablet',
    user_ids: ['ben', 'ann', 'carla'],
    previous_ids: ['phone', 'phone of ben'],
    orders: [['o1']],
  }
  expect(withoutOthers(row, PLACES.tables.session_states!, person)).toEqual({
    session_id: 's1',
    anonymous_id: 'tablet',
    user_ids: ['ann'],
    previous_ids: ['phone'],
    orders: [['o1']],
  })
})

it('changes no row that one person has alone', () => {
  const row = { user_id: 'ann', anonymous_id: 'tablet', previous_id: 'phone', properties: { user_ids: ['ben'] } }
  expect(withoutOthers(row, PLACES.tables.events!, person)).toEqual(row)
})
