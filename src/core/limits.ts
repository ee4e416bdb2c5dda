/**
 * Ceilings and budgets that are no setting of the user's. What users can set is in BrokerSettings; everything that could grow without
 * bound has a name here or there, and a test at the limit and one past it.
 */
export const limits = {
  /** Bytes of input after which a turn runs without waiting for the rest of the poll phase. */
  turnIngestBytes: 64 * 1024,
  /** How long input is acted on before whoever sends much of it is not read until every other socket was looked at. */
  pollMillis: 2,
  /** Messages one queue hands out before the next queue has its turn. */
  queuePumpMessages: 1024,
  /** Pump rounds in a turn. */
  turnRoundsMax: 8,
  /** Connections with something to send that are written to before the turn goes on. */
  turnConnectionsMax: 512,
  turnTimersMax: 10_000,
  /** What is done of large works between two looks at the sockets, in units of about a microsecond. */
  turnWork: 4096,
  /** However little it was to cost, it ends when it has taken so long. */
  turnWorkMillis: 4,
  /** Dead letters published again in one turn: each costs about ten microseconds, with its table of deaths. */
  turnDeadLettersMax: 512,
  /** Exchanges one message may pass through, by bindings between exchanges and alternate exchanges. */
  routeHopsMax: 1000,
  /** Queues that a policy may give one exchange. */
  shardsMax: 4096,
  /** Remembered publishes of all connections together beyond the first few hundred of each; about 300 bytes each. */
  publishMemosMax: 262_144,
  /** Remembered routes per exchange, and per exchange with that many bindings. */
  routeCacheMin: 4096,
  routeCacheMax: 262_144,
  /** Length of a routing key, a queue's and an exchange's name, in bytes. [AMQP 0-9-1 shortstr] */
  nameBytesMax: 255,
  /** Free bytes that slabs may hold beyond twice what is alive before they are compacted. */
  storeSlackBytes: 64 * 1024 * 1024,
} as const;
