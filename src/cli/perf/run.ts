import type { FieldTable } from '../../base/field-table.ts';
import { tableFromJson } from '../../base/field-table.ts';
import * as methods from '../../wire/amqp091/methods.gen.ts';
import type { CliError } from '../cli-error.ts';
import { PerfConnection } from './connection.ts';
import { Consumer } from './consumer.ts';
import { Tally } from './figures.ts';
import { type PerfOptions, queueNames } from './options.ts';
import { Producer } from './producer.ts';
import { progressLine, summaryLines } from './report.ts';

const drainMillis = 500;

/** Runs a load test and writes its lines. @throws CliError when a connection fails */
export async function runPerf(options: PerfOptions, write: (line: string) => void): Promise<void> {
  const test = new PerfTest(options, write);
  try {
    await test.run();
  } finally {
    await test.close();
  }
}

class PerfTest {
  readonly #options: PerfOptions;
  readonly #write: (line: string) => void;
  readonly #tally = new Tally();
  readonly #connections: PerfConnection[] = [];
  readonly #producers: Producer[] = [];
  readonly #consumers: Consumer[] = [];
  readonly #over = Promise.withResolvers<void>();
  #producersLeft = 0;
  #consumersLeft = 0;
  #isOver = false;

  constructor(options: PerfOptions, write: (line: string) => void) {
    this.#options = options;
    this.#write = write;
    // Whoever fails before somebody waits must not end the process.
    this.#over.promise.catch(() => {});
  }

  async run(): Promise<void> {
    const options = this.#options;
    const routes = await this.#declare();
    const said = (text: string): void => this.#write(`id: ${options.id}, ${text}`);
    this.#consumersLeft = options.consumers;
    this.#producersLeft = options.producers * options.producerChannels;
    for (let index = 0; index < options.consumers; index++) {
      if (options.consumers <= 10) said(`starting consumer #${index}`);
      await this.#startConsumer(routes, index);
    }
    for (let index = 0; index < options.producers; index++) {
      if (options.producers <= 10) said(`starting producer #${index}`);
      await this.#makeProducer(routes, index);
    }
    const started = performance.now();
    for (const producer of this.#producers) producer.start();
    let last = started;
    const report = setInterval(() => {
      const now = performance.now();
      this.#write(progressLine(options, this.#tally.interval, (now - last) / 1000, (now - started) / 1000));
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
    await Promise.all(this.#connections.map(connection => connection.close()));
  }

  /** Exchange, queues and bindings; what is published with which keys, and where it can be consumed. */
  async #declare(): Promise<{ exchange: string; queues: string[]; keys: string[] }> {
    const options = this.#options;
    const wanted = queueNames(options);
    const connection = await this.#connect();
    await connection.call(methods.encodeChannelOpen(1), methods.ChannelOpenOk);
    const names = ['', 'direct', 'fanout', 'topic', 'headers'];
    const isStandard = options.exchange === '' || options.exchange.startsWith('amq.');
    // PerfTest calls its exchange as its type.
    const exchange = options.exchange;
    if (options.isPredeclared) {
      const keys = wanted.map(name => options.routingKey ?? name);
      const isDefault = exchange === 'direct' && wanted.every(name => name !== '');
      return { exchange: isDefault ? '' : exchange, queues: wanted, keys };
    }
    if (!isStandard) {
      const declaration = { exchange, type: names.includes(exchange) && exchange !== '' ? exchange : options.exchangeType, passive: false };
      const flags = { durable: false, autoDelete: false, internal: false, nowait: false, arguments: new Map() as FieldTable };
      await connection.call(methods.encodeExchangeDeclare(1, { ...declaration, ...flags }), methods.ExchangeDeclareOk);
    }
    const queues: string[] = [];
    const keys: string[] = [];
    for (const name of wanted) {
      const declaration = {
        queue: name,
        passive: false,
        durable: options.isPersistent || options.queueArguments['x-queue-type'] !== undefined,
        exclusive: false,
        autoDelete: options.isAutoDelete,
        nowait: false,
        arguments: tableFromJson({ ...options.queueArguments }),
      };
      const { queue } = await connection.call(methods.encodeQueueDeclare(1, declaration), methods.QueueDeclareOk);
      const key = options.routingKey ?? queue;
      queues.push(queue);
      keys.push(exchange === '' ? queue : key);
      if (exchange !== '') {
        const binding = { queue, exchange, routingKey: key, nowait: false, arguments: new Map() as FieldTable };
        await connection.call(methods.encodeQueueBind(1, binding), methods.QueueBindOk);
      }
    }
    return { exchange, queues, keys: [...new Set(keys)] };
  }

  async #startConsumer({ queues }: { queues: string[] }, index: number): Promise<void> {
    const { prefetch, isAutoAck, isExclusive, consumerChannels } = this.#options;
    const connection = await this.#connect();
    const consumers: Consumer[] = [];
    let left = consumerChannels;
    for (let channel = 1; channel <= consumerChannels; channel++) {
      const done = (): void => {
        left--;
        if (left > 0) return;
        void connection.close();
        this.#consumerDone();
      };
      const consumer = new Consumer(connection, channel, this.#options, this.#tally, done);
      consumers.push(consumer);
      this.#consumers.push(consumer);
      await connection.call(methods.encodeChannelOpen(channel), methods.ChannelOpenOk);
      if (prefetch > 0) {
        await connection.call(
          methods.encodeBasicQos(channel, { prefetchSize: 0, prefetchCount: prefetch, global: false }),
          methods.BasicQosOk,
        );
      }
    }
    connection.listener = {
      onMethod: (channel, number, buffer, start) => consumers[channel - 1]?.onMethod(channel, number, buffer, start),
      onHeader: (channel, buffer, start) => consumers[channel - 1]?.onHeader(channel, buffer, start),
      onBody: (channel, buffer, start, end) => consumers[channel - 1]?.onBody(channel, buffer, start, end),
      onBatch: () => {
        for (const consumer of consumers) consumer.onBatch();
      },
    };
    // Each consumer takes one queue; with fewer consumers than queues, several.
    const mine = queues.filter(
      (_, at) => at % this.#options.consumers === index || (queues.length < this.#options.consumers && at === index % queues.length),
    );
    for (let channel = 1; channel <= consumerChannels; channel++) {
      for (const queue of mine) {
        const consume = {
          queue,
          consumerTag: '',
          noLocal: false,
          noAck: isAutoAck,
          exclusive: isExclusive,
          nowait: false,
          arguments: new Map() as FieldTable,
        };
        await connection.call(methods.encodeBasicConsume(channel, consume), methods.BasicConsumeOk);
      }
    }
  }

  async #makeProducer({ exchange, keys }: { exchange: string; keys: string[] }, index: number): Promise<void> {
    const { confirm, producerChannels } = this.#options;
    const connection = await this.#connect();
    const own: Producer[] = [];
    // Each producer has its queue, if there are as many.
    const mine = keys.length > 1 && this.#options.producers > 1 ? [keys[index % keys.length] as string] : keys;
    for (let channel = 1; channel <= producerChannels; channel++) {
      await connection.call(methods.encodeChannelOpen(channel), methods.ChannelOpenOk);
      if (confirm > 0) await connection.call(methods.encodeConfirmSelect(channel, { nowait: false }), methods.ConfirmSelectOk);
      const producer = new Producer(connection, channel, exchange, mine, this.#options, this.#tally, () => this.#producerDone());
      own.push(producer);
      this.#producers.push(producer);
    }
    connection.listener = {
      onMethod: (channel, number, buffer, start, end) => {
        if (number === methods.ConnectionBlocked) this.#write(`id: ${this.#options.id}, the broker blocks publishers`);
        else if (number === methods.ConnectionUnblocked) for (const producer of own) producer.wake();
        else own[channel - 1]?.listener.onMethod(channel, number, buffer, start, end);
      },
      onHeader() {},
      onBody() {},
      onBatch() {},
    };
  }

  async #connect(): Promise<PerfConnection> {
    const connection = await PerfConnection.open(this.#options.uri, this.#options.heartbeatSeconds);
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
