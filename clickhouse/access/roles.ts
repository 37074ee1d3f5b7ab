/** `analyst`: reads. `builder`: reads, and writes in databases of its own. `writer`: trusted. */
export type Role = 'analyst' | 'builder' | 'writer'
