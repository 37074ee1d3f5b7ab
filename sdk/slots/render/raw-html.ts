interface Policy {
  createHTML(text: string): unknown
}

/** Factory of policies; where a browser has no Trusted Types, the rules are the policy. */
interface Factory {
  createPolicy(name: string, rules: Policy): Policy
}
const plain: Factory = { createPolicy: (_name, rules) => rules }

/** A page may make a policy once. */
let policy: Policy | undefined

/**
 * Writes text as HTML, by the Trusted Types policy `slotstream` where there are such. Throws where the page's CSP
 * doesn't allow that name.
 */
export function setHtml(element: Element, text: string): void {
  const { trustedTypes = plain } = window as { trustedTypes?: Factory }
  policy ??= trustedTypes.createPolicy('slotstream', { createHTML: html => html })
  element.innerHTML = policy.createHTML(text) as string
}
