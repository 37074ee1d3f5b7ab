import { localFiles } from '@slotstream/runtime'
import { readSchemas as readSchemasOf } from '@slotstream/tracking-plan'

/** Reads the schemas of a folder of this machine: see `readSchemas` of the tracking plan. */
export const readSchemas = (folder: string) => readSchemasOf(folder, localFiles)
