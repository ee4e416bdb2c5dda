/** A load as users have it. `arguments` are load.ts's; `unit` is what its rate counts. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  readonly arguments: readonly string[];
  readonly isLatency: boolean;
}

const durable = ['--persistent', '--confirm', '1000', '--prefetch', '1000', '--ack-every', '1'];

const hundred = '--producers 100 --consumers 100 --queues 100';

const scenario = (name: string, what: string, line: string, more: readonly string[] = []): Scenario => ({
  name,
  what,
  arguments: [...line.split(' '), ...more],
  isLatency: name.startsWith('J'),
});

/** In the order in which they are run. */
export const scenarios: readonly Scenario[] = [
  scenario('A', '1 producer, 1 consumer, 16 B, auto-ack', '--size 16'),
  scenario('B', 'the same, 1 KiB', '--size 1024'),
  scenario('C', '16 B, ack each, prefetch 100', '--size 16 --ack-every 1 --prefetch 100'),
  scenario('C2', '16 B, one ack per 50, prefetch 500', '--size 16 --ack-every 50 --prefetch 500'),
  scenario('D16', 'persistent, 1,000 confirms open, ack each, 16 B', '--size 16', durable),
  scenario('D1k', 'the same, 1 KiB', '--size 1024', durable),
  scenario('D100-16', '100 producers, 100 consumers, 100 durable queues, as D16', `--size 16 ${hundred}`, durable),
  scenario('D100-1k', 'the same, 1 KiB', `--size 1024 ${hundred}`, durable),
  scenario('G', 'fanout 1 to 10 queues, 16 B, deliveries', '--size 16 --queues 10 --consumers 10 --exchange warren-bench-x --xtype fanout'),
  scenario(
    'H',
    'topic, 1,000 bindings on 10 queues, 16 B',
    '--size 16 --queues 10 --consumers 10 --exchange warren-bench-t --xtype topic --bindings 1000',
  ),
  scenario('I', '100 producers, 100 consumers, 100 queues, 16 B', `--size 16 ${hundred}`),
  scenario('O', '1 MiB messages', '--size 1048576'),
  scenario('J20t', 'latency at 20,000/s, 1 KiB, transient', '--size 1024 --rate 20000'),
  scenario(
    'J20p',
    'latency at 20,000/s, 1 KiB, persistent with confirms',
    '--size 1024 --rate 20000 --persistent --confirm 0 --ack-every 1 --prefetch 1000',
  ),
];

/** A short run: the message paths, without their variants. */
export const shortScenarios: ReadonlySet<string> = new Set(['A', 'C', 'D16', 'G', 'H', 'J20t', 'J20p', 'K']);
