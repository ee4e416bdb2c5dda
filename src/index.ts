/** WarrenMQ as a library: a RabbitMQ-compatible broker inside the calling process. */
export { Broker, type BrokerOptions } from './server/library/broker.ts';
export type { Duration } from './server/library/duration.ts';
export type { Faults, Which } from './server/library/faults.ts';
export type { HistoryLimits } from './server/library/history.ts';
export type { IdleOptions } from './server/library/idle.ts';
export type { Fate, LibraryMessage, MessageCopy, PublishedMessage, QueuedMessage } from './server/library/published-message.ts';
export type { BindingView, ConsumerView, MessagesOptions, QueueView } from './server/library/queue-view.ts';
export type { BrokerSnapshot } from './server/library/snapshot.ts';
export type { VhostView } from './server/library/vhost-view.ts';
export { type AdvanceOptions, VirtualClock } from './server/library/virtual-clock.ts';
