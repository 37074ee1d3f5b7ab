import type { PreviewLink } from '@slotstream/protocol'
import { createPrivacy } from '@slotstream/runtime'
import { expect, it } from 'vitest'
import { createPreviewTokens } from '#collector/keys/preview-tokens.js'

const privacy = createPrivacy(Buffer.alloc(32, 1).toString('base64url'))
const link: PreviewLink = { siteId: 'shop', as: { userId: 'ann@example.com' }, expiresAt: 1_000 }
const tokens = (now = 0, key = privacy) => createPreviewTokens(key, () => now)

it('a token says what it was made for, until it expires, and to collectors only', () => {
  const token = tokens().sign(link)
  expect(tokens(999).read(token)).toEqual(link)
  expect(tokens(1_000).read(token)).toBeUndefined()
  expect(token).toMatch(/^[\w-]+$/)
  expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('ann')
  expect(tokens().sign(link)).not.toBe(token)
})

it('a token with any bit changed, or of another installation, is none', () => {
  const token = tokens().sign(link)
  const bytes = Buffer.from(token, 'base64url')
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index]! ^= 1
    expect(tokens().read(changed.toString('base64url'))).toBeUndefined()
  }
  for (const spelling of [`${token}x`, `${token}=`, ` ${token}`, token.replace(/.$/, '$&\n')])
    expect(tokens().read(spelling)).toBeUndefined()
  const other = createPrivacy(Buffer.alloc(32, 2).toString('base64url'))
  expect(tokens(0, other).read(token)).toBeUndefined()
})

it.each([undefined, null, 5, {}, '', 'x', 'x'.repeat(1e6), privacy.seal('{}'), privacy.seal(JSON.stringify(link))])(
  'what is no token is none, as what else the installation has sealed',
  text => {
    expect(tokens().read(text)).toBeUndefined()
  },
)
