import { describe, expect, it } from 'vitest'
import { aggregatorSettings } from '#aggregator/settings.js'

const NO_JOBS = { PARITY_SAMPLE: '0', REDRAW_SAMPLE: '0', ITEM_MODELS_MINUTES: '0', EXPERIMENTS_LOOK_S: '0' }

describe('the settings of the aggregator', () => {
  it('give it every role, unless told otherwise', () => {
    expect(aggregatorSettings([], NO_JOBS).roles).toEqual(['warehouse', 'profiles', 'decisions', 'webhooks'])
    expect(aggregatorSettings([], { ...NO_JOBS, EXPERIMENTS_LOOK_S: '60' }).roles).toContain('batch')
    expect(aggregatorSettings([], {}).roles).toContain('batch')
    expect(aggregatorSettings([], { LAKE_DIR: 'lake', PARITY_SAMPLE: '0', REDRAW_SAMPLE: '0' }).roles).toContain(
      'batch',
    )
    expect(aggregatorSettings([], { ROLES: 'warehouse' }).roles).toEqual(['warehouse'])
    expect(aggregatorSettings(['--roles', 'profiles, decisions'], { ROLES: 'warehouse' }).roles).toEqual([
      'profiles',
      'decisions',
    ])
    expect(aggregatorSettings(['--roles=profiles'], {}).roles).toEqual(['profiles'])
  })

  it('refuse roles that do not exist, and decisions without profiles', () => {
    expect(() => aggregatorSettings([], { ROLES: 'warehouse,typo' })).toThrow('ROLES has "typo"')
    expect(() => aggregatorSettings([], { ROLES: 'batch', ...NO_JOBS })).toThrow('set LAKE_DIR')
    expect(aggregatorSettings([], { ROLES: 'batch', LAKE_DIR: 'lake' }).lake).toEqual({ dir: 'lake', everyMs: 900_000 })
    expect(() => aggregatorSettings(['--roles'], {})).toThrow('ROLES has ""')
    expect(() => aggregatorSettings([], { ROLES: 'decisions' })).toThrow('add profiles')
  })
})
