import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ALL_PUBLIC, createSenders } from '#collector/keys/senders.js'

const content = { category: 'shoes' }

describe('what content is about', () => {
  const click = () => ({ type: 'track', event: 'Slot Clicked', context: { content, locale: 'en' } })

  it('is for the catalog to say of a click, whatever key the message came with', () => {
    for (const key of ['public', 'secret'] as const) {
      const message = click()
      expect(createSenders({}, key, 0).stamp(message)).toEqual({ sender: key, changed: true })
      expect(message.context).toEqual({ locale: 'en' })
    }
  })

  it('is a field like others in other messages', () => {
    for (const message of [
      { ...click(), event: 'Read' },
      { ...click(), type: 'page' },
    ]) {
      expect(ALL_PUBLIC.stamp(message).changed).toBe(false)
      expect(message.context.content).toEqual(content)
    }
  })
})

describe('an alias, where the site signs its users', () => {
  const identitySecret = 'a secret of at least thirty-two characters'
  const signature = createHmac('sha256', identitySecret).update('ann').digest('hex')
  const alias = (previousId: unknown) => ({
    type: 'alias',
    userId: 'ann',
    anonymousId: 'mine',
    previousId,
    context: { identity: { signature } },
  })
  const senderOf = (message: object, key: 'public' | 'secret' = 'public') =>
    createSenders({ identitySecret }, key, 0).stamp(message).sender

  it('proves nothing of a browser other than the one that sends it', () => {
    expect(senderOf(alias('of somebody else'))).toBe('unsigned')
    expect(senderOf({ ...alias('of somebody else'), anonymousId: undefined })).toBe('unsigned')
  })

  it('is proven of its own browser and of its own user, and by a secret key of any', () => {
    for (const previousId of ['mine', 'ann']) expect(senderOf(alias(previousId))).toBe('public')
    expect(senderOf(alias('of somebody else'), 'secret')).toBe('secret')
  })

  it('is a claim without the signature', () => {
    expect(senderOf({ ...alias('mine'), context: {} })).toBe('unsigned')
  })
})
