import type { FieldTable } from '../../base/field-table.ts';
import { sameDeduplication } from '../deduplication/deduplication-arguments.ts';
import { queueDeduplication } from '../deduplication/queue-deduplication.ts';
import { Entry, metaLogged, priorityOf } from '../queues/entry.ts';
import { mustWait } from '../queues/list-move.ts';
import { hasSameOrder, type MessageQueueType } from '../queues/message-queue-type.ts';
import type { MessageQueue } from '../queues/message-queue.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import { ShapeChange } from './shape-change.ts';
import { stepBytesMax, stepMessagesMax, type StepResult, ShapeWork } from './shape-work.ts';

/**
 * Makes a message queue one of another type, or with other arguments, under the same number: its messages are sorted into the lists of the new
 * shape, and what has to be in the log is put there. Meanwhile nothing is handed out. `record` is called when all is ready, and is what makes
 * the change: what is in the log before belongs to the old shape as well.
 */
export function changeInPlace(
  queue: MessageQueue,
  type: MessageQueueType,
  args: FieldTable,
  context: QueueContext,
  record: () => void,
): ShapeChange {
  const change = new ShapeChange(queue, type, args, (where, error) => context.turn.onFault(where, error));
  const options = type.options(args, context);
  const keepsMore = type.capabilities.keepsTransient && !queue.keepsTransient;
  const knowsOthers = !sameDeduplication(args, queue.arguments);
  const known = knowsOthers ? queueDeduplication(queue, args, context) : queue.deduplication;
  // Lists that have the order they are to have are left alone, unless something is to be done with each message.
  const isStill = hasSameOrder(queue.type, queue.arguments, type, args) && !keepsMore && !knowsOthers;
  const inherited = knowsOthers && known !== null && queue.deduplication !== null ? known.inherit(queue.deduplication) : null;
  let isRecorded = false;
  queue.change = change;

  const visit = (entry: Entry): number => {
    let bytes = 0;
    if ((keepsMore || knowsOthers) && !work.isThere(entry.ref)) return mustWait;
    if (keepsMore && (entry.meta & metaLogged) === 0) {
      queue.keep(entry);
      bytes += entry.bytes;
    }
    if (knowsOthers) known?.learn(entry.ref, priorityOf(entry.meta), entry.sequence, (entry.meta & metaLogged) !== 0);
    return bytes;
  };
  const finish = (outstanding: readonly Entry[]): void => {
    // What was added since it was looked through.
    while (inherited?.next().done === false);
    for (const { ref, meta, sequence } of outstanding) known?.learn(ref, priorityOf(meta), sequence, (meta & metaLogged) !== 0);
    change.decide();
    record();
    isRecorded = true;
    queue.takeShape(type, args, options, isStill);
    if (!knowsOthers) return;
    queue.deduplication?.kept?.close();
    queue.deduplication = known;
  };
  const step = (): StepResult => {
    if (change.outcome !== null) return 'done';
    if (!isRecorded) {
      for (let count = 0; inherited !== null && count < stepMessagesMax; count++) if (inherited.next().done === true) break;
      const isAll = isStill || queue.moveSome(stepMessagesMax, stepBytesMax, visit);
      if (isAll !== true) return isAll === null ? 'waits' : 'more';
      // What is not ready keeps its place; all that may be asked of it is what it is known by.
      const outstanding = knowsOthers ? context.outstanding(queue) : [];
      if (!outstanding.every(({ ref }) => work.isThere(ref))) return 'waits';
      finish(outstanding);
    }
    // What is remembered of the messages that are there is in the log before anybody is told.
    if (knowsOthers && known?.kept?.writeSome(stepMessagesMax) === false) return 'more';
    change.done(queue);
    return 'done';
  };
  // What has left is not to be known any more.
  if (!isStill) queue.startMoving(options.lists, () => knowsOthers && change.giveUp('messages were taken out of it meanwhile'));
  change.onGivenUp = () => queue.stopMoving();
  const work = new ShapeWork(context, step, error => {
    change.fail(error);
    queue.stopMoving();
  });
  work.run();
  return change;
}
