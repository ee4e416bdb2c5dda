/** What was published and delivered, per cause: by a channel since it was opened, or by all channels of a virtual host together. */
export class TrafficCounters {
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
