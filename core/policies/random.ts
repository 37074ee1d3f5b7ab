import { type Propose, rankedProposal } from './proposal.js'

/** Draws any content, each as likely as the others. */
export const proposeAny: Propose<{ type: 'random' }> = (_policy, { eligible }) => {
  const alike = new Array<number>(eligible.length).fill(0)
  return rankedProposal(alike, [...alike], 0)
}
