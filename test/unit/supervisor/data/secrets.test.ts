import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { keptSecret } from '#supervisor/data/secrets.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotstream-secrets-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

it('makes a secret once, keeps it, and lets nobody else read it', () => {
  const secret = keptSecret(folder, 'admin-token')
  expect(secret).toMatch(/^[\w-]{32}$/)
  expect(keptSecret(folder, 'admin-token')).toBe(secret)
  expect(keptSecret(folder, 'other')).not.toBe(secret)
  expect(statSync(join(folder, 'admin-token')).mode & 0o777).toBe(0o600)
})
