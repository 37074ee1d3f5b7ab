import { RudderAnalytics } from '@rudderstack/analytics-js/bundled'

let analytics
export const start = origin => {
  analytics = new RudderAnalytics()
  analytics.load('demo', origin, {
    getSourceConfig: () => ({
      source: {
        id: 'demo',
        name: 'demo',
        writeKey: 'demo',
        enabled: true,
        workspaceId: 'demo',
        config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
        connections: [],
        destinations: [],
      },
      updatedAt: new Date().toISOString(),
      consentManagementMetadata: { providers: [], resolutionStrategies: {} },
    }),
  })
}
export const track = (event, properties) => analytics.track(event, properties)
