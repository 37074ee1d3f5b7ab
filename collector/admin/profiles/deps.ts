import type { Nats } from '@slotstream/runtime'
import { createPreviewSegment } from './preview-segment.js'
import { createReadContentFeatures } from './read-content-features.js'
import { createReadProfiles } from './read-profiles.js'

/** Creates what asks the owners of profiles. */
export function profileDeps(nats: Nats, partitions: number) {
  return {
    readProfiles: createReadProfiles(nats, partitions),
    previewSegment: createPreviewSegment(nats, partitions),
    readContentFeatures: createReadContentFeatures(nats, partitions),
  }
}
