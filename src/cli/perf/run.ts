import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { tableFromJson, timestamp } from '../../base/field-table.ts';
import * as methods from '../../wire/amqp091/methods.gen.ts';
import { CliError } from '../cli-error.ts';
import { type Certificates, PerfConnection } from './connection.ts';
import { Consumer } from './consumer.ts';
import { CsvFile } from './csv.ts';
import { Tally } from './figures.ts';
import type { PerfOptions } from './options.ts';
import { type Outlet, Producer } from './producer.ts';
import { progressLine, summaryLines } from './report.ts';
import { areQueuesEmpty, declareQueue, declareTopology, type Routes } from './topology.ts';

const drainMillis = 500;
/** Consumers are idle when nothing has come for so long. */
const idleMillis = 1000;
const watchMillis = 250;
const bodyBytesMax = 128 * 1024 * 1024;

/** A consumer of one connection: the queues that it declared for itself, and what makes it take messages. */
interface MadeConsumer {
  readonly own: readonly string[];
  readonly start: () => Promise<void>;
}

/** Runs a load test and writes its lines. @throws CliError when a connection fails, or a file cannot be read or written */
export async function runPerf(options: PerfOptions, write: (line: string) => void): Promise<void> {
  const bodies = await Promise.all(options.bodyFiles.map(file => readInput(file)));
  const names = options.queueFile === null ? null : (await readInput(options.queueFile)).toString('utf8').split(/\s*\n\s*/);
  const queues = names?.map(name => name.trim()).filter(name => name !== '') ?? options.queues;
  const certificates = await readCertificates(options);
  const test = new PerfTest({ ...options, queues }, certificates, bodies, write);
  try {
    await test.run();
  } finally {
    await test.close();
  }
}

/** What TLS wants from files. */
async function readCertificates({ caFile, certificateFile, keyFile }: PerfOptions): Promise<Certificates> {
  const read = async (path: string | null): Promise<Buffer | undefined> => (path === null ? undefined : readInput(path));
  const [ca, cert, key] = await Promise.all([read(caFile), read(certificateFile), read(keyFile)]);
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

async function readInput(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new CliError(`cannot read ${path}: ${error.message}`);
  });
  if (bytes.length > bodyBytesMax) throw new CliError(`${path} has more than ${bodyBytesMax} bytes`);
  return bytes;
}

class PerfTest {
  readonly #options: PerfOptions;
  readonly #certificates: Certificates;
  readonly #bodies: readonly Buffer[];
  readonly #write: (line: string) => void;
  readonly #tally = new Tally();
  readonly #connections: PerfConnection[] = [];
  readonly #producers: Producer[] = [];
  readonly #consumers: Consumer[] = [];
  readonly #over = Promise.withResolvers<void>();
  #producersLeft = 0;
  #consumersLeft = 0;
  #isOver = false;
  /** Whether some consumer has started. */
  #isConsuming = false;
  #connected = 0;

  constructor(options: PerfOptions, certificates: Certificates, bodies: readonly Buffer[], write: (line: string) => void) {
    this.#options = options;
    this.#certificates = certificates;
    this.#bodies = bodies;
    this.#write = write;
    // Whoever fails before somebody waits must not end the process.
    this.#over.promise.catch(() => {});
  }

  async run(): Promise<void> {
    const options = this.#options;
    const csv = options.outputFile === null ? null : new CsvFile(options.outputFile, options.id);
    const control = await this.#connectFirst();
    await control.call(methods.encodeChannelOpen(1), methods.ChannelOpenOk);
    const routes = await declareTopology(control, options);
    this.#consumersLeft = options.consumers;
    this.#producersLeft = options.producers * options.producerChannels;
    const isLate = options.consumerDelaySeconds > 0;
    const consuming = await this.#makeConsumers(routes);
    const ownQueues = consuming.flatMap(({ own }) => own);
    if (!isLate) await this.#startConsumers(consuming);
    const isToOwn = options.isExclusive && routes.exchange === '' && ownQueues.length > 0;
    const outlet: Outlet = { exchange: routes.exchange, keys: isToOwn ? ownQueues : routes.keys, bodies: this.#bodies };
    for (let index = 0; index < options.producers; index++) {
      if (options.producers <= 10) this.#say(`starting producer #${index}`);
      await this.#makeProducer(outlet, index);
    }
    const started = performance.now();
    for (const producer of this.#producers) producer.start();
    if (isLate) setTimeout(() => void this.#startConsumersLate(consuming), options.consumerDelaySeconds * 1000).unref();
    const watch = this.#watch(control, routes.queues);
    let last = started;
    const report = setInterval(() => {
      const now = performance.now();
      const [seconds, elapsedSeconds] = [(now - last) / 1000, (now - started) / 1000];
      this.#write(progressLine(options, this.#tally.interval, seconds, elapsedSeconds));
      try {
        csv?.write(this.#tally.interval, seconds, elapsedSeconds);
      } catch (error) {
        this.#end(new CliError(`cannot write ${options.outputFile}: ${(error as Error).message}`));
      }
      this.#tally.interval.clear();
      last = now;
    }, options.intervalSeconds * 1000);
    const limit = options.seconds > 0 ? setTimeout(() => this.#end(null), options.seconds * 1000) : null;
    const onInterrupt = (): void => this.#end(null);
    process.once('SIGINT', onInterrupt);
    process.once('SIGTERM', onInterrupt);
    try {
      await this.#over.promise;
    } finally {
      clearInterval(report);
      clearInterval(watch);
      if (limit !== null) clearTimeout(limit);
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onInterrupt);
      for (const producer of this.#producers) producer.stop();
    }
    const seconds = (performance.now() - started) / 1000;
    for (const line of summaryLines(options, this.#tally.whole, seconds)) this.#write(line);
  }

  async close(): Promise<void> {
    for (const consumer of this.#consumers) consumer.stop();
    for (const connection of this.#connections) connection.onEnd = () => {};
    await Promise.all(this.#connections.map(connection => connection.close(this.#shutdownMillis)));
  }

  get #shutdownMillis(): number {
    return this.#options.shutdownSeconds * 1000;
  }

  #say(text: string): void {
    this.#write(`id: ${this.#options.id}, ${text}`);
  }

  /** Ends the test when confirms do not come, and when it is told to end without messages. */
  #watch(control: PerfConnection, queues: readonly string[]): NodeJS.Timeout {
    const { confirmTimeoutSeconds, exitWhen } = this.#options;
    let [last, lastMillis, isAsking] = [-1, performance.now(), false];
    return setInterval(() => {
      if (this.#producers.some(({ waitedMillis }) => waitedMillis > confirmTimeoutSeconds * 1000))
        this.#end(new CliError(`no confirm came for ${confirmTimeoutSeconds} seconds`));
      const { received } = this.#tally.whole;
      const isStill = received === last && this.#isConsuming;
      if (!isStill) [last, lastMillis] = [received, performance.now()];
      else if (exitWhen === 'idle' && performance.now() - lastMillis >= idleMillis) this.#end(null);
      else if (exitWhen === 'empty' && !isAsking) {
        isAsking = true;
        areQueuesEmpty(control, queues).then(
          isEmpty => {
            isAsking = false;
            if (isEmpty) this.#end(null);
          },
          // Its end is heard of where connections end.
          () => {},
        );
      }
    }, watchMillis);
  }

  /** Consumers with their channels and queues of their own, which take nothing yet. */
  async #makeConsumers(routes: Routes): Promise<MadeConsumer[]> {
    const made: MadeConsumer[] = [];
    for (let index = 0; index < this.#options.consumers; index++) made.push(await this.#makeConsumer(routes, index));
    return made;
  }

  async #startConsumers(consuming: readonly MadeConsumer[]): Promise<void> {
    const { isSlowStart } = this.#options;
    for (const [index, { start }] of consuming.entries()) {
      if (isSlowStart && index > 0) await delay(1000);
      if (this.#isOver) return;
      if (consuming.length <= 10) this.#say(`starting consumer #${index}`);
      await start();
      this.#isConsuming = true;
    }
  }

  async #startConsumersLate(consuming: readonly MadeConsumer[]): Promise<void> {
    if (this.#isOver) return;
    try {
      await this.#startConsumers(consuming);
    } catch (error) {
      this.#end(error instanceof CliError ? error : new CliError(String(error)));
    }
  }

  async #makeConsumer({ queues, keys }: Routes, index: number): Promise<MadeConsumer> {
    const { prefetch, channelPrefetch, isAutoAck, isExclusive, isPredeclared, consumerChannels, consumerTransaction } = this.#options;
    const connection = await this.#connect();
    const consumers: Consumer[] = [];
    let left = consumerChannels;
    for (let channel = 1; channel <= consumerChannels; channel++) {
      const done = (): void => {
        left--;
        if (left > 0) return;
        void connection.close(this.#shutdownMillis);
        this.#consumerDone();
      };
      const consumer = new Consumer(connection, channel, this.#options, this.#tally, done);
      consumers.push(consumer);
      this.#consumers.push(consumer);
      await connection.call(methods.encodeChannelOpen(channel), methods.ChannelOpenOk);
      if (consumerTransaction > 0) await connection.call(methods.encodeTxSelect(channel), methods.TxSelectOk);
      for (const [prefetchCount, global] of [
        [prefetch, false],
        [channelPrefetch, true],
      ] as const) {
        if (prefetchCount > 0)
          await connection.call(methods.encodeBasicQos(channel, { prefetchSize: 0, prefetchCount, global }), methods.BasicQosOk);
      }
    }
    connection.listener = {
      onMethod: (channel, number, buffer, start) => consumers[channel - 1]?.onMethod(channel, number, buffer, start),
      onHeader: (channel, buffer, start, end) => consumers[channel - 1]?.onHeader(channel, buffer, start, end),
      onBody: (channel, buffer, start, end) => consumers[channel - 1]?.onBody(channel, buffer, start, end),
      onBatch: () => {
        for (const consumer of consumers) consumer.onBatch();
      },
    };
    // Each consumer takes one queue; with fewer consumers than queues, several.
    const shared = queues.filter(
      (_, at) => at % this.#options.consumers === index || (queues.length < this.#options.consumers && at === index % queues.length),
    );
    const own = isExclusive && !isPredeclared ? [await declareQueue(connection, this.#options, '', keys[0] ?? null)] : [];
    const { streamFromSeconds, isPolling } = this.#options;
    const consumerArguments = tableFromJson(this.#options.consumerArguments);
    if (streamFromSeconds !== null) consumerArguments.set('x-stream-offset', timestamp(streamFromSeconds));
    const start = async (): Promise<void> => {
      for (const consumer of consumers) {
        if (isPolling) consumer.poll([...shared, ...own]);
        else await consume(consumer);
      }
    };
    const consume = async (consumer: Consumer): Promise<void> => {
      consumer.begin();
      for (const queue of [...shared, ...own]) {
        const subscription = {
          queue,
          consumerTag: '',
          noLocal: false,
          noAck: isAutoAck,
          exclusive: false,
          nowait: false,
          arguments: consumerArguments,
        };
        await connection.call(methods.encodeBasicConsume(consumer.channel, subscription), methods.BasicConsumeOk);
      }
    };
    return { own, start };
  }

  async #makeProducer({ exchange, keys, bodies }: Outlet, index: number): Promise<void> {
    const { confirm, producerChannels, producerTransaction } = this.#options;
    const connection = await this.#connect();
    const own: Producer[] = [];
    // Each producer has its queue, if there are as many.
    const mine = keys.length > 1 && this.#options.producers > 1 ? [keys[index % keys.length] as string] : keys;
    for (let channel = 1; channel <= producerChannels; channel++) {
      await connection.call(methods.encodeChannelOpen(channel), methods.ChannelOpenOk);
      if (confirm > 0) await connection.call(methods.encodeConfirmSelect(channel, { nowait: false }), methods.ConfirmSelectOk);
      if (producerTransaction > 0) await connection.call(methods.encodeTxSelect(channel), methods.TxSelectOk);
      const producer = new Producer(connection, channel, { exchange, keys: mine, bodies }, this.#options, this.#tally, () =>
        this.#producerDone(),
      );
      own.push(producer);
      this.#producers.push(producer);
    }
    connection.listener = {
      onMethod: (channel, number, buffer, start, end) => {
        if (number === methods.ConnectionBlocked) this.#say('the broker blocks publishers');
        else if (number === methods.ConnectionUnblocked) for (const producer of own) producer.wake();
        else own[channel - 1]?.listener.onMethod(channel, number, buffer, start, end);
      },
      onHeader() {},
      onBody() {},
      onBatch() {},
    };
  }

  /** Waits for a broker that is not up yet, as long as it is told to. */
  async #connectFirst(): Promise<PerfConnection> {
    const until = performance.now() + this.#options.startupSeconds * 1000;
    for (;;) {
      try {
        return await this.#connect();
      } catch (error) {
        if (performance.now() >= until) throw error;
        await delay(watchMillis);
      }
    }
  }

  async #connect(): Promise<PerfConnection> {
    const { uris } = this.#options;
    const connection = await PerfConnection.open(uris[this.#connected++ % uris.length] as string, this.#options, this.#certificates);
    connection.onEnd = error => {
      if (error !== null) this.#end(error);
    };
    this.#connections.push(connection);
    return connection;
  }

  #producerDone(): void {
    this.#producersLeft--;
    if (this.#producersLeft > 0) return;
    const { consumers, consumerMessages } = this.#options;
    if (consumers === 0 || (consumerMessages > 0 && this.#consumersLeft === 0)) this.#end(null);
    else if (consumerMessages === 0) this.#endWhenDrained();
  }

  #consumerDone(): void {
    this.#consumersLeft--;
    if (this.#consumersLeft > 0) return;
    // Confirms of what was consumed may still be on their way.
    if (this.#producersLeft === 0 || this.#options.producerMessages === 0) this.#end(null);
  }

  /** What is on its way still comes: the end is when nothing has come for a while. */
  #endWhenDrained(): void {
    let last = -1;
    const timer = setInterval(() => {
      const { received } = this.#tally.whole;
      if (received !== last && !this.#isOver) {
        last = received;
        return;
      }
      clearInterval(timer);
      this.#end(null);
    }, drainMillis);
  }

  #end(error: CliError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error === null) this.#over.resolve();
    else this.#over.reject(error);
  }
}
