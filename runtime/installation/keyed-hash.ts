import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { KV } from '@nats-io/kv'
import type { Check, KeyedHash } from '@slotstream/protocol'
import type { Log } from '../process/log.js'
import { readMeta } from './meta-copy.js'

/** Key in the bucket `meta` of the secret that people are hashed with. */
export const PEOPLE_SECRET = 'people'

const SECRET_BYTES = 32

/** Characters of a hash: 132 bits. */
const HASH_LENGTH = 22

const IV_BYTES = 12
const TAG_BYTES = 16

/** Names people by hashes, and keeps what must be read again, with a secret of the installation. */
export interface Privacy {
  /** HMAC-SHA256, as a token of 22 letters, digits, `-` and `_`. */
  keyed: KeyedHash
  /** Encrypts text (AES-256-GCM). */
  seal(text: string): string
  /** Decrypts what `seal` made. @throws when it is something else */
  unseal(sealed: string): string
}

/**
 * Reads the secret of the installation, or makes it. Without it no profile is found again: it is kept with the data,
 * and a copy beside it.
 *
 * @throws ConfigurationError when it is lost and has no copy
 */
export async function readPeopleSecret(meta: KV, log?: Log): Promise<string> {
  const { value, revision } = await readMeta(meta, PEOPLE_SECRET, parseSecret, log)
  if (value !== undefined) return value
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const written = await meta.put(PEOPLE_SECRET, JSON.stringify(secret), { previousSeq: revision }).then(
    () => secret,
    // Another process was first.
    () => knownPeopleSecret(meta, log),
  )
  if (written === undefined) throw new Error('the key for hashes of people could be neither read nor written')
  return written
}

/** Reads the secret as `readPeopleSecret` does; undefined where there is none yet. */
export async function knownPeopleSecret(meta: KV, log?: Log): Promise<string | undefined> {
  return (await readMeta(meta, PEOPLE_SECRET, parseSecret, log)).value
}

function parseSecret(raw: unknown): Check<string> {
  const isSecret = typeof raw === 'string' && Buffer.from(raw, 'base64url').length === SECRET_BYTES
  return isSecret ? { ok: true, value: raw } : { ok: false, reason: 'it is no key for hashes of people' }
}

/** Makes the hash and the cipher of a secret. */
export function createPrivacy(secret: string): Privacy {
  const derived = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
  const hashKey = derived('hash')
  const cipherKey = derived('cipher')
  return {
    keyed: text => createHmac('sha256', hashKey).update(text).digest('base64url').slice(0, HASH_LENGTH),
    seal(text) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', cipherKey, iv)
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')
    },
    unseal(sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', cipherKey, bytes.subarray(0, IV_BYTES))
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    },
  }
}
