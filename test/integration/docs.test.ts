import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type System, startSystem } from '../support/system.js'

const cookbook = readFileSync(new URL('../../docs/sql.md', import.meta.url), 'utf8')
const recipes = [...cookbook.matchAll(/^```sql\n(.*?)^```/gms)].map(match => match[1] as string)

let system: System

beforeAll(async () => {
  system = await startSystem()
})

afterAll(async () => {
  await system?.stop()
})

describe('the SQL cookbook', () => {
  it('has recipes', () => {
    expect(recipes.length).toBeGreaterThan(10)
  })

  it.each(recipes)('runs as an analyst: %s', async recipe => {
    await expect(system.query(recipe)).resolves.toBeInstanceOf(Array)
  })
})
