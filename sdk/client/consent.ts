/** `pending`: the visitor hasn't answered yet. */
export type ConsentState = 'pending' | 'granted' | 'denied'

/** The visitor's consent, by purpose. */
export interface Consent {
  /** Recording what they do: messages, and the ids and sessions that join them. */
  analytics: ConsentState
  /** Asking the collector for content chosen for them. */
  personalization: ConsentState
}

/** A choice, for both purposes or for each. True is `granted`, false is `denied`. */
export type ConsentChoice = ConsentState | boolean | { [Purpose in keyof Consent]?: ConsentState | boolean }

/**
 * Returns the consent a page begins with: the choice this browser remembers, else what its signals say, else the
 * option.
 *
 * @param option of `init`
 * @param remembered text that `remember` made, if any
 * @param refused whether a signal of the browser that the site honours says no
 */
export function initialConsent(option: ConsentChoice, remembered?: string, refused?: boolean): Consent {
  const all = (state: ConsentState | boolean) => ({ analytics: state, personalization: state })
  const chosen = typeof option === 'object' ? { ...all(true), ...option } : all(option)
  const [analytics, personalization] = remembered?.split(' ') ?? []
  const stateOf = (choice: string | undefined, state: ConsentState | boolean) =>
    isChoice(choice) ? choice : refused ? 'denied' : state === true ? 'granted' : state || 'denied'
  return {
    analytics: stateOf(analytics, chosen.analytics),
    personalization: stateOf(personalization, chosen.personalization),
  }
}

/** Returns the text under which a choice is remembered. Pending isn't a choice. */
export const remember = ({ analytics, personalization }: Consent) => `${analytics} ${personalization}`

const isChoice = (state: string | undefined): state is ConsentState => state === 'granted' || state === 'denied'
