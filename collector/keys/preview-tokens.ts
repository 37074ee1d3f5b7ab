import { MAX_PREVIEW_TOKEN_LENGTH, type PreviewLink } from '@slotstream/protocol'
import type { Privacy } from '@slotstream/runtime'

/** Begins the text of each token, so that nothing else that the installation has sealed is one. */
const PURPOSE = 'preview link\n'

/** Makes the tokens of preview links, and reads them. */
export interface PreviewTokens {
  sign(link: PreviewLink): string
  /** Returns what a token shows; undefined for one that no collector of this installation made, or that has expired. */
  read(token: unknown): PreviewLink | undefined
}

/**
 * Creates what makes and reads tokens. They are sealed with the installation's key (AES-256-GCM), so that any of its
 * collectors can tell a genuine one, nothing is stored, and a link tells its reader nothing of the visitor.
 *
 * @param now milliseconds since the epoch
 */
export function createPreviewTokens(privacy: Pick<Privacy, 'seal' | 'unseal'>, now: () => number): PreviewTokens {
  return {
    sign: link => privacy.seal(PURPOSE + JSON.stringify(link)),
    read(token) {
      if (typeof token !== 'string' || token.length > MAX_PREVIEW_TOKEN_LENGTH) return undefined
      // One token has one spelling: what Node would overlook in Base64 is rejected.
      if (Buffer.from(token, 'base64url').toString('base64url') !== token) return undefined
      const text = unsealed(privacy, token)
      if (!text?.startsWith(PURPOSE)) return undefined
      const link = JSON.parse(text.slice(PURPOSE.length)) as PreviewLink
      return now() < link.expiresAt ? link : undefined
    },
  }
}

function unsealed(privacy: Pick<Privacy, 'unseal'>, token: string): string | undefined {
  try {
    return privacy.unseal(token)
  } catch {
    return undefined
  }
}
