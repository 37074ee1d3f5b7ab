import { visitorKeySql } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { resultsSql } from '#aggregator/results/results-sql.js'

const REQUEST = { siteId: 'shop', slotId: 'hero', from: '2026-06-01T00:00:00Z', to: '2026-07-01T00:00:00Z' }
const plain = (sql: string) => sql.replace(/\s+/g, ' ')

describe('the queries of results', () => {
  it('tell browsers from users by the key that all else has, so that no browser is taken for a user', () => {
    const { arms, loss } = resultsSql(REQUEST)
    for (const query of [arms, loss]) {
      expect(query).toContain(`groupUniqArray(${visitorKeySql()}) AS visitors`)
      expect(query).toContain(`${visitorKeySql()} AS visitor, event`)
      expect(query).toContain(`if(person != '', person, ${visitorKeySql()}) AS unit`)
    }
    expect(loss).toContain(`${visitorKeySql('anonymous_id', "''")} AS visitor, toFloat64(least(missing, captured))`)
  })

  it('take what pages say is missing for a share of what they sent, from 0 to 1', () => {
    expect(plain(resultsSql(REQUEST).loss)).toContain(
      'least(1, sum(lost_messages) / greatest(sum(all_messages), 1)) AS lost',
    )
  })
})
