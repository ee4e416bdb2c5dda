import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { definitionsSource } from '../../core/definitions/core-source.ts';
import { exportDefinitions } from '../../core/definitions/export-definitions.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { metaRedelivered } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { payloadToJson } from '../../management/messages/payload-json.ts';
import { propertiesToJson } from '../../management/messages/properties-json.ts';
import { type ReadMessage, readMessage } from '../../management/messages/read-message.ts';
import { Inspection } from './inspection.ts';
import { readLog } from './read-log.ts';

export interface ExportResult {
  readonly messages: number;
  /** What could not be read, and is not in the output. */
  readonly problems: readonly string[];
}

/**
 * Writes a data directory as JSON lines: the definitions in one, as RabbitMQ exports them, then a line for each message that an exchange
 * holds for later, in the order of release, and for each of each queue and stream, in the order of delivery. Changes nothing. Rejects with a DataDirError or JournalError when the directory cannot be read.
 */
export async function exportDataDir(path: string, out: Writable): Promise<ExportResult> {
  const inspection = await Inspection.open(path);
  const { core, report } = inspection;
  const problems = [...report.damaged];
  let messages = 0;
  const write = async (line: unknown): Promise<void> => {
    if (!out.write(`${JSON.stringify(line)}\n`)) await once(out, 'drain');
  };
  const writeMessage = async (where: object, message: ReadMessage, isRedelivered: boolean, dueMillis: number): Promise<void> => {
    const { payload, encoding } = payloadToJson(message.body, 'auto');
    await write({
      ...where,
      exchange: message.exchange,
      routing_key: message.routingKey,
      redelivered: isRedelivered,
      ...(dueMillis > 0 ? { due: Math.round(core.clock.wallMillis + dueMillis - core.clock.nowMillis) } : {}),
      properties: propertiesToJson(message.properties),
      payload,
      payload_encoding: encoding,
    });
    messages++;
  };
  await write({ definitions: exportDefinitions(definitionsSource(core)) });
  for (const vhost of core.vhosts.values()) {
    for (const exchange of vhost.exchanges.values()) {
      for (const { ref, dueMillis } of exchange.delay?.held.list(0, exchange.delay.held.count) ?? []) {
        await inspection.fetch(ref);
        const message = readMessage(core, ref);
        if (message === null) problems.push(`a message that exchange '${exchange.name}' in vhost '${vhost.name}' holds is damaged`);
        else await writeMessage({ vhost: vhost.name, held_by: exchange.name }, message, false, dueMillis);
      }
    }
    for (const queue of vhost.queues.values()) {
      const where = { vhost: vhost.name, queue: queue.name };
      for (const { ref, isRedelivered, dueMillis } of found(queue)) {
        await inspection.fetch(ref);
        const message = readMessage(core, ref);
        if (message === null) {
          problems.push(`a message of queue '${queue.name}' in vhost '${vhost.name}' is damaged`);
          continue;
        }
        await writeMessage(where, message, isRedelivered, dueMillis);
      }
      const before = core.counters.damagedRecords;
      await readLog(queue, reader => {
        core.store.show(reader);
        return writeMessage(where, readMessage(core, 0) as ReadMessage, false, 0);
      });
      if (core.counters.damagedRecords > before) problems.push(`a part of stream '${queue.name}' in vhost '${vhost.name}' is damaged`);
    }
  }
  return { messages, problems };
}

interface Found {
  readonly ref: MessageRef;
  readonly isRedelivered: boolean;
  /** When a message that waits to be tried again comes back, by the broker's clock; 0 for the others. */
  readonly dueMillis: number;
}

function found(queue: Queue): Found[] {
  const list: Found[] = [];
  queue.forEachReady(({ ref, meta }) => {
    list.push({ ref, isRedelivered: (meta & metaRedelivered) !== 0, dueMillis: 0 });
    return true;
  });
  queue.retries?.forEach(({ entry, dueMillis }) => void list.push({ ref: entry.ref, isRedelivered: true, dueMillis }));
  return list;
}
