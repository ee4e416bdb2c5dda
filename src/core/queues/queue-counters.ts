/** What happened in a queue since it was made. Bumped in place; a sampler turns them into rates. */
export class QueueCounters {
  published = 0;
  delivered = 0;
  deliveredNoAck = 0;
  got = 0;
  gotNoAck = 0;
  gotEmpty = 0;
  redelivered = 0;
  acked = 0;
  dropped = 0;
}
