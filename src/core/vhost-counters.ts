/** What was published and delivered in a virtual host, per cause; sums of what its channels did. */
export class VhostCounters {
  published = 0;
  confirmed = 0;
  returnedUnroutable = 0;
  droppedUnroutable = 0;
  delivered = 0;
  deliveredNoAck = 0;
  got = 0;
  gotNoAck = 0;
  gotEmpty = 0;
  acked = 0;
  redelivered = 0;
}
