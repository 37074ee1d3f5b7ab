import { type CompiledSlot, type SomeCatalog, slotOfCatalog } from '@slotstream/core'
import type { Content, DecisionRecord, Experiment, ExperimentArm } from '@slotstream/protocol'
import type { AdminCall } from '../../admin-call.js'

/** The record of what was decided about which slot. */
export type VersionedRecord = Pick<DecisionRecord, 'slotId' | 'policyVersion' | 'experiment' | 'arm'>

/** A slot as it was. */
export interface SlotVersion {
  slot: CompiledSlot
  /** Contents that there were, also those that the slot did not take: an arm with contents of its own has no others. */
  contents: readonly Content[]
}

/** Slots of a site as they were. */
export interface SlotVersions {
  /** Resolves to the slot by which a decision was made. Undefined: no revision with it is kept any more. */
  find(record: VersionedRecord): Promise<SlotVersion | undefined>
}

/** Creates it. Revisions are read, the newest first, as far as they are needed. */
export function createSlotVersions(call: AdminCall): SlotVersions {
  const byRecord = new Map<string, SlotVersion | undefined>()
  const catalogs = revisionsOf<SomeCatalog>(call, '/catalog')
  const experiments = revisionsOf<{ experiments: Experiment[] }>(call, '/experiments')

  async function search(record: VersionedRecord): Promise<SlotVersion | undefined> {
    const arms = record.experiment === undefined ? [undefined, ...(await endedArms(record))] : await armsOf(record)
    for (let n = 0; ; n++) {
      const catalog = await catalogs.at(n)
      if (catalog === 'end') return undefined
      if (!catalog) continue
      for (const arm of arms) {
        const slot = slotOfCatalog(catalog, record.slotId, arm)
        if (slot?.policyVersion !== record.policyVersion) continue
        return { slot, contents: arm?.contentIds ? slot.contents.map(({ content }) => content) : catalog.content }
      }
    }
  }

  /** Outside of experiments a slot chooses as an arm does where an experiment ended. */
  const endedArms = ({ slotId }: VersionedRecord) => armsWhere(({ slot, stopped }) => slot === slotId && !!stopped)

  const armsOf = ({ experiment, arm }: VersionedRecord) =>
    armsWhere(({ id }, { id: armId }) => id === experiment && armId === arm)

  async function armsWhere(isMeant: (experiment: Experiment, arm: ExperimentArm) => boolean): Promise<ExperimentArm[]> {
    const arms = new Map<string, ExperimentArm>()
    for (let n = 0; ; n++) {
      const set = await experiments.at(n)
      if (set === 'end') return [...arms.values()]
      for (const each of set?.experiments ?? [])
        for (const meant of each.arms.filter(arm => isMeant(each, arm))) arms.set(JSON.stringify(meant), meant)
    }
  }

  return {
    async find(record) {
      const { slotId, policyVersion, experiment = '', arm = '' } = record
      const key = JSON.stringify([slotId, policyVersion, experiment, arm])
      if (!byRecord.has(key)) byRecord.set(key, await search(record))
      return byRecord.get(key)
    },
  }
}

/** Reads what there is now, and then the revisions that are kept, the newest first, each once. */
function revisionsOf<Value>(call: AdminCall, path: string) {
  const values: Promise<Value | undefined>[] = []
  let revisions: Promise<number[]> | undefined
  const read = async (n: number): Promise<Value | undefined> => {
    if (n === 0) return (await call('GET', path)) as Value
    const revision = (await revisions)![n - 1]
    return call('GET', `${path}/history/${revision}`).then(
      value => value as Value,
      () => undefined,
    )
  }
  return {
    /** Resolves to 'end' after the last; undefined where one was dropped meanwhile. */
    async at(n: number): Promise<Value | undefined | 'end'> {
      revisions ??= call('GET', `${path}/history`).then(list =>
        (list as { revision: number }[]).map(each => each.revision),
      )
      if (n > (await revisions).length) return 'end'
      values[n] ??= read(n)
      return values[n]
    },
  }
}
