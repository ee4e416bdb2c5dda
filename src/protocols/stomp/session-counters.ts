import type { TrafficCounters } from '../../core/statistics/columns.ts';

/** What a session did since its login. There is no basic.get in STOMP. */
export class SessionCounters implements TrafficCounters {
  published = 0;
  confirmed = 0;
  readonly returnedUnroutable = 0;
  droppedUnroutable = 0;
  delivered = 0;
  deliveredNoAck = 0;
  readonly got = 0;
  readonly gotNoAck = 0;
  readonly gotEmpty = 0;
  acked = 0;
  redelivered = 0;
}
