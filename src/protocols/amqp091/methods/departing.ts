import type { Departure } from '../../../core/departures.ts';
import type { Channel } from '../channel.ts';

/** Answers a deletion: when there are very many bindings to be taken away, as soon as that is done. */
export function replyWhenOver(channel: Channel, departure: Departure | null, frame: Buffer): void {
  if (departure === null) {
    channel.reply(frame);
    return;
  }
  let isOver = false;
  departure.whenOver(() => {
    isOver = true;
    channel.replyOn();
  });
  channel.replyLate(() => {
    if (isOver) channel.connection.send(frame);
    return isOver;
  });
}
