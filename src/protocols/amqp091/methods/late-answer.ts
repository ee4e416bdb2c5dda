import type { Task } from '../../../core/task.ts';
import type { Channel } from '../channel.ts';

/** Answers when the task is over that the client has asked for; null: it is done already. */
export function replyWhenOver(channel: Channel, task: Task | null, frame: Buffer): void {
  if (task === null) {
    channel.reply(frame);
    return;
  }
  let isOver = false;
  task.whenOver(() => {
    isOver = true;
    channel.replyOn();
  });
  channel.replyLate(() => {
    if (isOver) channel.connection.send(frame);
    return isOver;
  });
}
