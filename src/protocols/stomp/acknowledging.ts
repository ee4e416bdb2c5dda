import type { Frame } from '../../wire/stomp/frame.ts';
import { erlangBinary } from '../../core/erlang-field.ts';
import type { Outcome } from '../../core/queues/queue.ts';
import { notImplemented } from '../../core/broker-error.ts';
import { queueTerm } from '../../core/resource-name.ts';
import { booleanHeader } from './headers.ts';
import type { Session } from './session.ts';
import { invalidHeader, StompError } from './stomp-error.ts';
import type { Subscription } from './subscription.ts';

/** ACK and NACK. [RabbitMQ: ack_action] @throws StompError */
export function settle(session: Session, frame: Frame): void {
  const { command, headers } = frame;
  const header = session.connection.version === '1.2' ? 'id' : 'message-id';
  const value = headers.get(header);
  const term = erlangBinary(Buffer.from(header));
  if (value === undefined) throw new StompError('Missing header', `'${command}' must include the ${term} header\n`);
  const parts = /^(.*)@@(.*)@@(\d{1,15})$/s.exec(value);
  if (parts === null || parts[2] !== session.id) throw invalidHeader(`'${command}' must include a valid ${term} header`);
  const consumerTag = parts[1] as string;
  const tag = Number(parts[3]);
  const outcome = outcomeOf(session, frame);
  const subscription = session.subscriptions.get(consumerTag);
  if (subscription?.unacked.has(tag)) {
    settleAt(subscription, tag, outcome);
    return;
  }
  for (const ended of session.ended) {
    if (ended.tag !== consumerTag || !ended.unacked.has(tag)) continue;
    settleAt(ended, tag, outcome);
    session.forgetIfSettled(ended);
    return;
  }
  throw new StompError('Message not found', `unknown delivery tag ${tag}\n`);
}

function settleAt(subscription: Subscription, tag: number, outcome: Outcome): void {
  const { queue } = subscription.consumer;
  if (outcome !== 'accepted' && !queue.type.capabilities.hasReject) {
    throw notImplemented(`NACK not supported by stream queues ${queueTerm(queue.name, queue.vhostName)}`);
  }
  subscription.settle(tag, outcome);
}

function outcomeOf({ connection }: Session, frame: Frame): Outcome {
  if (frame.command === 'ACK') return 'accepted';
  return (booleanHeader(frame, 'requeue') ?? connection.options.defaultNackRequeue) ? 'returned' : 'rejected';
}
