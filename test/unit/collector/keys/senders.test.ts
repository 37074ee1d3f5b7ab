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
