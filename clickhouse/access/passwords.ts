import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** Cost of one hash: 32 MB and about 0.1 s of a core. */
const COST = { N: 2 ** 15, r: 8, p: 1 }
/** Largest cost of a hash from a file: 128 MB, so that a wrong file can't stop the server. */
const MAX_BLOCKS = 2 ** 20
const MAX_MEMORY = 256 * 1024 * 1024
const KEY_BYTES = 32

const HASH = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]{16,128})\$([\w-]{22,128})$/

/** Creates a password of 144 random bits, 24 characters long. */
export function makePassword(): string {
  return randomBytes(18).toString('base64url')
}

/** Hashes a password with a salt of its own: `scrypt$N$r$p$salt$key`, the last two in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(password, salt, KEY_BYTES, COST)
  return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('base64url')}$${key.toString('base64url')}`
}

/** Tells whether a text is a hash of hashPassword, at a cost that this server pays. */
export function isPasswordHash(text: string): boolean {
  return readHash(text) !== undefined
}

/** Tells whether a password belongs to a hash. Takes the same time for a right and a wrong one. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const read = readHash(hash)
  if (!read) return false
  return timingSafeEqual(await derive(password, read.salt, read.key.length, read.cost), read.key)
}

function readHash(text: string): { cost: typeof COST; salt: Buffer; key: Buffer } | undefined {
  const match = HASH.exec(text)
  if (!match) return undefined
  const [N, r, p] = match.slice(1, 4).map(Number) as [number, number, number]
  if (N < 2 || (N & (N - 1)) !== 0 || r < 1 || p < 1 || p > 4 || N * r > MAX_BLOCKS) return undefined
  return { cost: { N, r, p }, salt: Buffer.from(match[4]!, 'base64url'), key: Buffer.from(match[5]!, 'base64url') }
}

function derive(password: string, salt: Buffer, bytes: number, cost: typeof COST): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, { ...cost, maxmem: MAX_MEMORY }, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}
