// What the life of a connection costs in this process: handshake, a channel, an orderly end, and what the log says of it. Node's sockets and the
// kernel come on top. Needs a process of its own, started with `heapFlags`.
import { getHeapStatistics } from 'node:v8';
import { SlotList } from '../../src/base/slot-list.ts';
import { silentLogger } from '../../src/core/ports/logger.ts';
import { defaultSettings } from '../../src/core/settings.ts';
import { type Admission, AdmissionControl } from '../../src/net/admission.ts';
import { Link } from '../../src/net/link.ts';
import type { LogTarget } from '../../src/server/logging/log-target.ts';
import { ServerLogger } from '../../src/server/logging/server-logger.ts';
import { textFormat } from '../../src/server/logging/text-format.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { SimBroker } from '../../test/support/sim-broker.ts';
import { Sink } from './sink.ts';

export interface ConnectionCost {
  readonly connections: number;
  readonly lifeMicrosEach: number;
  readonly lifeHeapBytesEach: number;
}

/** What a client sends, each after an answer. */
const life: readonly Buffer[] = [
  Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
  methods.encodeConnectionStartOk(0, {
    clientProperties: new Map(),
    mechanism: 'PLAIN',
    response: Buffer.from('\0guest\0guest'),
    locale: 'en_US',
  }),
  Buffer.concat([
    methods.encodeConnectionTuneOk(0, { channelMax: 2047, frameMax: 131_072, heartbeat: 0 }),
    methods.encodeConnectionOpen(0, { virtualHost: '/' }),
  ]),
  methods.encodeChannelOpen(1),
  methods.encodeConnectionClose(0, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }),
];

/** Takes lines and keeps none. */
const nowhere: LogTarget = { write() {}, writeLast() {}, reopen() {}, flush: async () => {}, close() {} };

/** A socket that can be closed. */
class ClosingSink extends Sink {
  override destroy(): void {
    this.onClosed();
  }
}

/** Opens and closes `count` connections one after the other, after as many that do not count. */
export function connectionCost(count: number): ConnectionCost {
  const logger = new ServerLogger([{ name: 'nowhere', target: nowhere, format: textFormat(process.pid, false), level: 'info' }]);
  const broker = new SimBroker({ onLog: (level, category, text) => logger[level as 'info'](category, text) });
  const control = new AdmissionControl({ ...defaultSettings, connectionsMax: Infinity }, silentLogger);
  const group = new SlotList<Admission>();
  const live = (): void => {
    for (let index = 0; index < count; index++) {
      const socket = new ClosingSink();
      const admission = control.admit(socket, group) as Admission;
      const facts = {
        peerHost: '127.0.0.1',
        peerPort: 1024 + (index & 0x7fff),
        host: '127.0.0.1',
        port: 5672,
        isTls: false,
        isWebSocket: false,
        tls: null,
        peerCertificate: null,
      };
      admission.comesFrom(facts.peerHost);
      const link = new Link(socket, facts, 1024 * 1024, admission);
      broker.frontEnd.accept(link);
      for (let said = 0; said < life.length; said++) {
        const bytes = life[said] as Buffer;
        link.take(bytes, bytes.length);
        while (broker.scheduler.runTurn());
        socket.tick();
      }
      socket.destroy();
      while (broker.scheduler.runTurn());
    }
  };
  live();
  (globalThis as { gc?: () => void }).gc?.();
  const heap = getHeapStatistics().used_heap_size;
  const cpu = process.cpuUsage();
  live();
  const { user, system } = process.cpuUsage(cpu);
  return {
    connections: count,
    lifeMicrosEach: (user + system) / count,
    lifeHeapBytesEach: (getHeapStatistics().used_heap_size - heap) / count,
  };
}
