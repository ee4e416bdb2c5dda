import type { QueueSettings } from './queue-settings.ts';

/** Whether so many messages and bytes are more than a queue may have. [RabbitMQ docs: queue length limit] */
export function isTooMuch({ lengthMax, lengthBytesMax }: QueueSettings, count: number, bytes: number): boolean {
  return (lengthMax >= 0 && count > lengthMax) || (lengthBytesMax >= 0 && bytes > lengthBytesMax);
}
