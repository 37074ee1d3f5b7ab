import { hash } from 'node:crypto'
import type { HashText } from '@slotstream/core'

/** Hashes a text for the core, which knows no platform. */
export const hashText: HashText = text => hash('sha256', text, 'base64url')
