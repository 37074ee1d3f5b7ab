import type { NumberSetting, SecretSetting, Setting, SettingsTable, TextSetting } from '../setting.js'
import { AGGREGATOR, LEARNING, PROFILES, WAREHOUSE } from './aggregator.js'
import { CLICKHOUSE, EMBEDDED_CLICKHOUSE } from './clickhouse.js'
import { COLLECTOR, COLLECTOR_LIMITS } from './collector.js'
import { EVERYWHERE } from './everywhere.js'
import { NATS, STREAMS } from './nats.js'
import { START } from './start.js'
import { COMMANDS, MICRO } from './tools.js'
import { WEBHOOKS } from './webhooks.js'

/** The settings by subject, in the order of docs/settings.md. */
export const SUBJECTS: readonly { title: string; settings: SettingsTable }[] = [
  { title: 'Everywhere', settings: EVERYWHERE },
  { title: 'Ports and programs of `npm start`', settings: START },
  { title: 'Connection to NATS', settings: NATS },
  { title: 'Streams', settings: STREAMS },
  { title: 'Collector', settings: COLLECTOR },
  { title: 'Limits of a collector', settings: COLLECTOR_LIMITS },
  { title: 'Aggregator', settings: AGGREGATOR },
  { title: 'Profiles', settings: PROFILES },
  { title: 'Learning', settings: LEARNING },
  { title: 'Webhooks', settings: WEBHOOKS },
  { title: 'Warehouse and lake', settings: WAREHOUSE },
  { title: 'Connection to ClickHouse', settings: CLICKHOUSE },
  { title: 'Embedded ClickHouse', settings: EMBEDDED_CLICKHOUSE },
  { title: 'Micro', settings: MICRO },
  { title: 'Replay', settings: COMMANDS },
]

/**
 * Every environment variable that a program of this project reads, by its name. The one place of names, defaults and
 * bounds.
 */
export const SETTINGS = {
  ...EVERYWHERE,
  ...START,
  ...NATS,
  ...STREAMS,
  ...COLLECTOR,
  ...COLLECTOR_LIMITS,
  ...AGGREGATOR,
  ...PROFILES,
  ...LEARNING,
  ...WEBHOOKS,
  ...WAREHOUSE,
  ...CLICKHOUSE,
  ...EMBEDDED_CLICKHOUSE,
  ...MICRO,
  ...COMMANDS,
}

type All = typeof SETTINGS
type NamesOf<Kind extends Setting> = { [Name in keyof All]: All[Name] extends Kind ? Name : never }[keyof All]

export type SettingName = keyof All
export type NumberName = NamesOf<NumberSetting>
export type TextName = NamesOf<TextSetting>
export type SecretName = NamesOf<SecretSetting>

/** Type that reading a setting yields: also undefined when it has no default. */
export type NumberValue<Name extends NumberName> = All[Name] extends { default: number } ? number : number | undefined
export type TextValue<Name extends TextName> = All[Name] extends { default: string } ? string : string | undefined
