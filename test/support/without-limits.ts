/** Settings of a collector for tests that send a lot from one address: no bound on messages and new visitors. */
export const WITHOUT_LIMITS = {
  addressMessagesPerSecond: 0,
  addressVisitorsPerSecond: 0,
  siteMessagesPerSecond: 0,
  siteVisitorsPerSecond: 0,
}

/** The same as environment variables of a started program. */
export const WITHOUT_LIMITS_ENV = {
  RATE_LIMIT_ADDRESS_MESSAGES: '0',
  RATE_LIMIT_ADDRESS_VISITORS: '0',
  RATE_LIMIT_SITE_MESSAGES: '0',
  RATE_LIMIT_SITE_VISITORS: '0',
}
