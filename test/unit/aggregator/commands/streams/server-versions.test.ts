import { describe, expect, it } from 'vitest'
import { objectionTo } from '#aggregator/commands/streams/server-versions.js'

const servers = (...versions: string[]) => versions.map((version, index) => ({ name: `n${index + 1}`, version }))
const peers = ['n1', 'n2', 'n3']

describe('a cluster that is to share streams anew', () => {
  it.each([
    ['2.15.0', '2.15.2', '2.16.0'],
    ['3.0.0', '2.15.1-RC.2', '2.100.3'],
  ])('will do: %s, %s and %s', (...versions) => {
    expect(objectionTo(peers, servers(...versions))).toBeUndefined()
  })

  it('will not when one server is too old, or has a version that is none, and the message names it', () => {
    expect(objectionTo(peers, servers('2.15.2', '2.9.10', '2.15.2'))).toMatch(
      /^n2 is version 2\.9\.10; nats-server 2\.15/,
    )
    expect(objectionTo(peers, servers('2.15.2', '2.14.9', '1.15.0'))).toContain(
      'n2 is version 2.14.9, n3 is version 1.15.0',
    )
    expect(objectionTo(peers, servers('2.15.2', '', '2.15.2'))).toContain('n2 is version ;')
  })

  it('will not when a server that keeps a copy cannot be asked', () => {
    expect(objectionTo(peers, servers('2.15.2', '2.15.2'))).toContain(
      "n3 can't be asked for its version: name it in NATS_URL",
    )
  })
})
