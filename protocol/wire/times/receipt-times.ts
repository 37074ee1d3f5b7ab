/** When a message arrived and, if its batch says, when it was sent: milliseconds since the epoch. */
export interface ReceiptTimes {
  received: number
  /** `sentAt` of the batch; a message's own comes first. */
  sent?: number
  /** An earlier time is clamped to this one. Default: none is. */
  oldest?: number
}
