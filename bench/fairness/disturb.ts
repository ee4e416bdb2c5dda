// One client that is no good neighbour, for so many seconds; prints one JSON line of what it did. Started by run.ts.
import { parseArgs } from 'node:util';
import { BenchClient } from '../macro/client.ts';
import { frame, method, publish, shortstr, u16, u32, u64, u8 } from '../macro/frames.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '5672' },
    kind: { type: 'string', default: 'slow-consumer' },
    seconds: { type: 'string', default: '5' },
  },
});
const port = Number(values.port);
const endsAt = performance.now() + Number(values.seconds) * 1000;
const isOver = (): boolean => performance.now() >= endsAt;
const queueName = `warren-fair-${values.kind}`;
const stormQueues = 100_000;
const window = 100;

const declare = (queue: string, bits: number): Buffer => method(1, 50, 10, u16(0), shortstr(queue), u8(bits), u32(0));
const remove = (queue: string): Buffer => method(1, 50, 40, u16(0), shortstr(queue), u8(0));
const durable = 2;
const exclusive = 4;

/** Sends `count` methods with 100 in flight; resolves when the last is answered, with how many were. */
async function pipeline(client: BenchClient, count: number, make: (index: number) => Buffer, mayStop: boolean): Promise<number> {
  let sent = 0;
  let answered = 0;
  await new Promise<void>(resolve => {
    const fill = (): void => {
      const batch: Buffer[] = [];
      while (sent < count && sent - answered < window && !(mayStop && isOver())) batch.push(make(sent++));
      if (batch.length > 0) client.socket.write(Buffer.concat(batch));
      else if (sent === answered) resolve();
    };
    client.start({
      onMethod(classId) {
        if (classId !== 50) return;
        answered++;
        if (sent - answered <= window / 2) fill();
      },
      onBody() {},
    });
    fill();
  });
  return answered;
}

/** Messages of 128 MiB, one after the other, with a consumer that takes them. */
async function hugeMessages(isPersistent: boolean): Promise<Record<string, number>> {
  const bodyBytes = 128 * 1024 * 1024;
  const consumer = await BenchClient.open(port);
  await consumer.declareQueue(queueName, isPersistent);
  let receivedBytes = 0;
  let taken = (): void => {};
  consumer.start({
    onMethod() {},
    onBody(_, at, end) {
      receivedBytes += end - at;
      if (receivedBytes % bodyBytes === 0) taken();
    },
  });
  await consumer.call(method(1, 60, 20, u16(0), shortstr(queueName), shortstr('huge'), u8(2), u32(0)), 60, 21);
  const publisher = await BenchClient.open(port);
  const piece = Buffer.alloc(publisher.frameBytesMax - 8, 'x');
  const head = Buffer.concat([
    method(1, 60, 40, u16(0), shortstr(''), shortstr(queueName), u8(0)),
    frame(2, 1, Buffer.concat([u16(60), u16(0), u64(bodyBytes), ...(isPersistent ? [u16(0x1000), u8(2)] : [u16(0)])])),
  ]);
  const wholeFrame = frame(3, 1, piece);
  const lastFrame = frame(3, 1, piece.subarray(0, bodyBytes % piece.length));
  const drained = (): Promise<void> => new Promise(resolve => publisher.socket.once('drain', () => resolve()));
  while (!isOver()) {
    const isTaken = new Promise<void>(resolve => (taken = resolve));
    publisher.socket.write(head);
    for (let at = 0; at + piece.length <= bodyBytes; at += piece.length) if (!publisher.socket.write(wholeFrame)) await drained();
    publisher.socket.write(lastFrame);
    await isTaken;
  }
  return { messages: receivedBytes / bodyBytes };
}

const untilOver = (): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.max(0, endsAt - performance.now())));

const backlogMessages = 1_000_000;
const backlogQueue = 'warren-fair-backlog';

/** A backlog of persistent messages of 1 KiB, all of them durable when this resolves. */
async function fillBacklog(): Promise<Record<string, number>> {
  const client = await BenchClient.open(port);
  await client.declareQueue(backlogQueue, true);
  await client.call(method(1, 85, 10, u8(0)), 85, 11);
  const batchMessages = 50;
  const batch = Buffer.concat(
    Array.from({ length: batchMessages }, () => publish('', backlogQueue, Buffer.alloc(1024), true, client.frameBytesMax)),
  );
  let sent = 0;
  await new Promise<void>(resolve => {
    const send = (): void => {
      for (; sent < backlogMessages && !client.socket.writableNeedDrain; sent += batchMessages) client.socket.write(batch);
    };
    client.socket.on('drain', send);
    client.start({
      onMethod(classId, methodId, buffer, at) {
        if (classId === 60 && methodId === 80 && buffer.readUInt32BE(at + 4) === backlogMessages) resolve();
      },
      onBody() {},
    });
    send();
  });
  return { published: sent };
}

/** Takes all of it, with an acknowledgement for every hundred. */
async function drainBacklog(): Promise<Record<string, number>> {
  const client = await BenchClient.open(port);
  await client.call(method(1, 60, 10, u32(0), u16(1000), u8(0)), 60, 11);
  let consumed = 0;
  const began = performance.now();
  await new Promise<void>(resolve => {
    client.start({
      onMethod(classId, methodId) {
        if (classId !== 60 || methodId !== 60) return;
        consumed++;
        if (consumed % 100 === 0) client.socket.write(method(1, 60, 80, u64(consumed), u8(1)));
        if (consumed === backlogMessages) resolve();
      },
      onBody() {},
    });
    client.socket.write(method(1, 60, 20, u16(0), shortstr(backlogQueue), shortstr('drain'), u8(0), u32(0)));
  });
  const millis = Math.round(performance.now() - began);
  await client.deleteQueue(backlogQueue);
  return { drained: consumed, millis };
}

const kinds: Record<string, () => Promise<Record<string, number>>> = {
  /** A consumer that reads nothing, and a publisher that sends 20,000 messages of 1 KiB a second to its queue. */
  async 'slow-consumer'() {
    const consumer = await BenchClient.open(port);
    await consumer.declareQueue(queueName, false);
    await consumer.call(method(1, 60, 20, u16(0), shortstr(queueName), shortstr('slow'), u8(2), u32(0)), 60, 21);
    consumer.socket.pause();
    const publisher = await BenchClient.open(port);
    const batch = Buffer.concat(
      Array.from({ length: 20 }, () => publish('', queueName, Buffer.alloc(1024), false, publisher.frameBytesMax)),
    );
    const began = performance.now();
    let batches = 0;
    while (!isOver()) {
      const due = Math.floor(performance.now() - began);
      for (; batches < due && !publisher.socket.writableNeedDrain; batches++) publisher.socket.write(batch);
      await new Promise(resolve => setTimeout(resolve, 1));
    }
    await publisher.deleteQueue(queueName);
    return { published: batches * 20 };
  },

  'huge-message': () => hugeMessages(false),

  'huge-persistent': () => hugeMessages(true),

  'fill-backlog': fillBacklog,

  'drain-backlog': drainBacklog,

  /** 100,000 durable queues declared and deleted, 100 in flight. */
  async 'declare-storm'() {
    const client = await BenchClient.open(port);
    let declared = 0;
    while (!isOver()) {
      const count = await pipeline(client, stormQueues, index => declare(`${queueName}-${index}`, durable), true);
      declared += count;
      await pipeline(client, count, index => remove(`${queueName}-${index}`), false);
    }
    return { declared };
  },

  /** As many declarations as the socket takes, waiting for no answer. */
  async 'declare-flood'() {
    const client = await BenchClient.open(port);
    let answered = 0;
    client.start({ onMethod: () => void answered++, onBody() {} });
    const batch = Buffer.concat(Array.from({ length: 1000 }, (_, index) => declare(`${queueName}-${index}`, durable)));
    while (!isOver()) {
      if (client.socket.writableNeedDrain) await new Promise(resolve => setTimeout(resolve, 1));
      else client.socket.write(batch);
    }
    return { declared: answered };
  },

  /** 100,000 exclusive queues, and a client that leaves without deleting one. */
  async 'exclusive-queues'() {
    let rounds = 0;
    for (; !isOver(); rounds++) {
      const client = await BenchClient.open(port);
      await pipeline(client, stormQueues, index => declare(`${queueName}-${rounds}-${index}`, exclusive), false);
      client.socket.end();
      await new Promise(resolve => client.socket.once('close', resolve));
    }
    return { rounds };
  },
};

const run = kinds[values.kind];
if (run === undefined) throw new Error(`no such disturbance: ${values.kind}`);
const report = await run();
if (values.kind !== 'fill-backlog') await untilOver();
console.log(JSON.stringify(report));
process.exit(0);
