import { randomInt } from 'node:crypto';
import { version } from '../../base/version.ts';
import { badArgument } from '../cli-error.ts';
import { type Command, commandsOf } from '../command.ts';

const define = commandsOf('Live', []);

export const live: readonly Command[] = [
  define(
    'top [--interval <seconds>] [--count <count>] [--connections]',
    [0, 0],
    'Shows queues, rates and connections live. Keys sort (those in the last line), tab changes to connections, q quits. Without a terminal it prints lines.',
    ['top', 'top --interval 5', 'top --count 1 --connections'],
    async ({ api, options }) => {
      const seconds = Number(options.get('interval') ?? 2);
      const rounds = Number(options.get('count') ?? 0);
      if (seconds < 1 || seconds > 3600) throw badArgument('--interval is from 1 to 3600 seconds');
      if (rounds < 0) throw badArgument('--count is not negative');
      const { Top } = await import('../top/top.ts');
      await new Top(api, { seconds, rounds, view: options.has('connections') ? 'connections' : 'queues' }).run();
    },
    { options: ['interval', 'count', 'connections'], shorts: { i: 'interval' } },
  ),
  define(
    'perf [options as of RabbitMQ PerfTest]',
    [0, Infinity],
    "Runs a load test in the manner of RabbitMQ's PerfTest, over AMQP. 'perf --help' shows its options.",
    ['perf -x 1 -y 2 -u throughput', 'perf -x 2 -y 4 -u safe -c 100 -q 100 -f persistent -s 1000 -z 30'],
    async ({ rest, out, tool }) => {
      const { parsePerfOptions, perfHelp } = await import('../perf/options.ts');
      const stamp = new Date().toISOString().slice(11, 19).replaceAll(':', '');
      const options = parsePerfOptions(rest, `test-${stamp}-${randomInt(1000)}`, process.env);
      if (options === 'version') return out.write(`warrenctl perf ${version}\n`);
      if (typeof options === 'string') return out.write(perfHelp(tool, options === 'environment-variables'));
      const { runPerf } = await import('../perf/run.ts');
      await runPerf(options, line => out.write(line));
    },
    { hasOwnOptions: true },
  ),
];
