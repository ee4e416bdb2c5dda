import { preconditionFailed } from '../../../core/broker-error.ts';
import {
  decodeConfirmSelect,
  decodeNothing,
  encodeConfirmSelectOk,
  encodeTxCommitOk,
  encodeTxRollbackOk,
  encodeTxSelectOk,
} from '../../../wire/amqp091/methods.gen.ts';
import type { Channel } from '../channel.ts';
import { Confirms } from '../confirms.ts';
import { Transaction } from '../transaction.ts';

/** [RabbitMQ docs: confirms] */
export function confirmSelect(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeConfirmSelect(buffer, start, end);
  if (channel.transaction !== null) throw preconditionFailed('cannot switch from tx to confirm mode');
  channel.confirms ??= new Confirms(channel);
  if (!args.nowait) channel.reply(encodeConfirmSelectOk(channel.number));
}

/** [AMQP 0-9-1 tx.select] */
export function txSelect(channel: Channel, buffer: Buffer, start: number, end: number): void {
  decodeNothing(buffer, start, end);
  if (channel.confirms !== null) throw preconditionFailed('cannot switch from confirm to tx mode');
  channel.transaction ??= new Transaction(channel);
  channel.reply(encodeTxSelectOk(channel.number));
}

/** [AMQP 0-9-1 tx.commit] */
export function txCommit(channel: Channel, buffer: Buffer, start: number, end: number): void {
  decodeNothing(buffer, start, end);
  transactionOf(channel).commit();
  // Committed means durable, for what has to be.
  channel.replyDurably(encodeTxCommitOk(channel.number));
}

/** [AMQP 0-9-1 tx.rollback] */
export function txRollback(channel: Channel, buffer: Buffer, start: number, end: number): void {
  decodeNothing(buffer, start, end);
  transactionOf(channel).rollback();
  channel.reply(encodeTxRollbackOk(channel.number));
}

function transactionOf(channel: Channel): Transaction {
  if (channel.transaction === null) throw preconditionFailed('channel is not transactional');
  return channel.transaction;
}
