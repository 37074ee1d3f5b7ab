/** The programs that read settings, with the commands that start them. */
export const PROGRAMS = {
  start: '`npm start`',
  collector: '`npm run collector`',
  aggregator: '`npm run aggregator`',
  clickhouse: 'the embedded ClickHouse',
  micro: '`npm run micro`',
  commands: '`npm run rebuild`, `streams`, `dead-letters`, `learning`',
  users: '`npm run clickhouse-users`',
  plan: '`npm run plan`',
  catalog: '`npm run catalog`',
  profiles: '`npm run profiles`',
  replay: '`npm run replay`',
  tests: 'tests and benches',
} as const

export type Program = keyof typeof PROGRAMS

interface CommonSetting {
  programs: readonly Program[]
  /** Effect of the setting, as one sentence without a full stop. */
  meaning: string
  /** Effect of reaching the limit that it sets. */
  beyond?: string
  /** Value used without it, in words, where `default` doesn't say it. */
  otherwise?: string
}

/** A setting that is a whole number. Without a `default`, an unset one reads as undefined. */
export interface NumberSetting extends CommonSetting {
  kind: 'number'
  unit: string
  default?: number
  /** Smallest value; default 0. */
  min?: number
  /** Largest value; default: no bound. */
  max?: number
  /** Programs for which some of it is otherwise. */
  in?: Partial<Record<Program, { default?: number; min?: number; max?: number }>>
}

/** A setting that is text. Without a `default`, an unset one reads as undefined; one of '' has none. */
export interface TextSetting extends CommonSetting {
  kind: 'text'
  default?: string
  in?: Partial<Record<Program, { default?: string }>>
}

/**
 * Text that opens something: it may also come from the file that `<NAME>_FILE` names, or from the supervisor's pipe.
 */
export interface SecretSetting extends CommonSetting {
  kind: 'secret'
}

export type Setting = NumberSetting | TextSetting | SecretSetting

/** Settings of one subject, by the names of their environment variables. */
export type SettingsTable = Record<string, Setting>
